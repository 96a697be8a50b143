"""https://hl7.org/fhir/R4/http.html#trules"""

from fhir_server.interactions.references import URI_NAMES, base_of, conditional, rewrite

URN = "urn:uuid:5b9d2a2e-0000-4000-8000-000000000001"
LINKS = {URN: "Patient/1"}


def test_a_reference_becomes_literal():
    body = f'{{"subject": {{"reference" : "{URN}"}}}}'.encode()

    assert rewrite(body, LINKS) == b'{"subject": {"reference" : "Patient/1"}}'


def test_a_uri_is_replaced_too():
    assert rewrite(f'{{"valueUri":"{URN}"}}'.encode(), LINKS) == b'{"valueUri":"Patient/1"}'


def test_a_uri_in_an_array_is_replaced_too():
    assert rewrite(f'{{"profile":["{URN}"]}}'.encode(), LINKS) == b'{"profile":["Patient/1"]}'


def test_an_identifier_of_the_same_text_stays():
    body = f'{{"identifier":[{{"system":"urn:ietf:rfc:3986","value":"{URN}"}}]}}'.encode()

    assert rewrite(body, LINKS) == body


def test_text_that_only_contains_it_stays():
    body = f'{{"valueString":"see {URN}","reference":"{URN}0"}}'.encode()

    assert rewrite(body, LINKS) == body


def test_digits_and_order_stay():
    body = f'{{"v":1.00, "subject":{{"reference":"{URN}"}}, "w":1e2}}'.encode()

    assert rewrite(body, LINKS) == b'{"v":1.00, "subject":{"reference":"Patient/1"}, "w":1e2}'


def test_a_relative_reference_means_the_entry_of_the_same_base():
    links = {"http://a/fhir/Patient/7": "Patient/1"}
    body = b'{"reference":"Patient/7"}'

    assert rewrite(body, links, "http://a/fhir") == b'{"reference":"Patient/1"}'
    assert rewrite(body, links, "http://b/fhir") == body


def test_links_in_the_narrative_are_replaced():
    body = f'{{"div":"<a href=\\"{URN}\\">x</a>"}}'.encode()

    assert rewrite(body, LINKS) == b'{"div":"<a href=\\"Patient/1\\">x</a>"}'


def test_an_escaped_text_is_read():
    body = b'{"reference":"http:\\/\\/a\\/Patient\\/7"}'

    assert rewrite(body, {"http://a/Patient/7": "Patient/1"}) == b'{"reference":"Patient/1"}'


def test_conditional_references_are_found():
    bodies = [b'{"reference":"Patient?identifier=a|1"}', b'{"reference":"Patient/1"}']

    assert conditional(bodies) == {"Patient?identifier=a|1"}


def test_the_names_are_those_of_the_definitions(definitions):
    names = {
        name
        for type in definitions.types
        for element in definitions.elements(type).values()
        for name, kind in element.properties()
        if kind in ("uri", "url", "canonical", "oid", "uuid")
    }

    assert names | {"reference"} == URI_NAMES


def test_a_urn_has_no_base():
    assert base_of(URN, "Patient") == ""
