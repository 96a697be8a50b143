"""`:in`, `:not-in`, `:above`, `:below` with stored and shipped definitions.

https://hl7.org/fhir/R4/search.html#token, https://hl7.org/fhir/R4/search.html#recursive
"""

from dataclasses import replace

import pytest

from fhir_server.authz.scopes import Scope
from fhir_server.interactions.checks import Checks

ANIMALS = "http://acme.org/animals"
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"


def condition(id, code, system=ANIMALS):
    return {
        "resourceType": "Condition",
        "id": id,
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": system, "code": code}]},
    }


def code_system(**more):
    duck = {"code": "duck", "property": [{"code": "legs", "valueInteger": 2}]}
    return {
        "resourceType": "CodeSystem",
        "id": "animals",
        "url": ANIMALS,
        "status": "active",
        "content": "complete",
        "property": [{"code": "legs", "type": "integer"}],
        "concept": [{"code": "animal", "concept": [{"code": "bird", "concept": [duck]}]}],
    } | more


def value_set(id, *include, **more):
    return {
        "resourceType": "ValueSet",
        "id": id,
        "url": f"http://acme.org/{id}",
        "status": "active",
        "compose": {"include": list(include)},
    } | more


BIRDS = {"system": ANIMALS, "filter": [{"property": "concept", "op": "is-a", "value": "bird"}]}


@pytest.fixture
def hub(make_hub):
    made = make_hub()
    made.put_in(
        {"resourceType": "Patient", "id": "p", "gender": "female"},
        {"resourceType": "Patient", "id": "q"},
        condition("animal", "animal"),
        condition("bird", "bird"),
        condition("duck", "duck"),
        condition("stone", "stone", "http://acme.org/minerals"),
        condition("elsewhere", "duck", "http://acme.org/other"),
        code_system(),
        value_set("birds", BIRDS),
        value_set("minerals", {"system": "http://acme.org/minerals"}),
    )
    return made


def found(hub, query, **more):
    return sorted(key.partition("/")[2] for key in hub.ids(query, **more))


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("code:in=http://acme.org/birds", ["bird", "duck"]),
        ("code:in=ValueSet/birds", ["bird", "duck"]),
        ("code:in=http://hub.test/fhir/ValueSet/birds", ["bird", "duck"]),
        ("code:not-in=http://acme.org/birds", ["animal", "elsewhere", "stone"]),
        ("code:in=http://acme.org/birds,http://acme.org/minerals", ["bird", "duck", "stone"]),
        ("code:below=http://acme.org/animals|bird", ["bird", "duck"]),
        ("code:above=http://acme.org/animals|bird", ["animal", "bird"]),
        ("code:below=http://acme.org/animals|duck", ["duck"]),
    ],
)
def test_conditions_by_what_their_codes_mean(hub, query, ids):
    assert found(hub, f"Condition?{query}") == ids


def test_a_shipped_value_set_holds_bare_codes_of_its_system(hub):
    assert found(hub, f"Patient?gender:in={GENDERS}") == ["p"]
    assert found(hub, f"Patient?gender:in={GENDERS}|4.0.1") == ["p"]
    assert found(hub, f"Patient?gender:not-in={GENDERS}") == ["q"]


def test_a_chain_and_a_reverse_chain_may_end_in_a_value_set(hub):
    assert found(hub, "Condition?code:in=ValueSet/birds&subject:Patient.gender:in=" + GENDERS) == [
        "bird",
        "duck",
    ]
    assert found(hub, "Patient?_has:Condition:subject:code:in=ValueSet/birds") == ["p"]


def test_the_next_request_sees_a_change_of_the_value_set(hub):
    assert found(hub, "Condition?code:in=ValueSet/birds") == ["bird", "duck"]
    hub.put_in(value_set("birds", {"system": ANIMALS, "concept": [{"code": "duck"}]}))

    assert found(hub, "Condition?code:in=ValueSet/birds") == ["duck"]


def test_the_next_request_sees_a_change_of_the_code_system(hub):
    assert found(hub, "Condition?code:in=ValueSet/birds") == ["bird", "duck"]
    hub.put_in(code_system(concept=[{"code": "bird"}, {"code": "duck"}]))

    assert found(hub, "Condition?code:in=ValueSet/birds") == ["bird"]


def test_without_a_version_the_newest_active_one_is_meant(hub):
    only = {"system": ANIMALS, "concept": [{"code": "duck"}]}
    hub.put_in(
        value_set("b9", BIRDS, url="http://acme.org/b", version="9.0"),
        value_set("b10", only, url="http://acme.org/b", version="10.0"),
        value_set("b11", BIRDS, url="http://acme.org/b", version="11.0", status="draft"),
    )

    assert found(hub, "Condition?code:in=http://acme.org/b") == ["duck"]
    assert found(hub, "Condition?code:in=http://acme.org/b|9.0") == ["bird", "duck"]


def test_codes_that_are_left_out_of_a_system_without_content(hub):
    stones = {"system": "http://acme.org/minerals"}
    left = {"system": "http://acme.org/minerals", "concept": [{"code": "stone"}]}
    hub.put_in(condition("salt", "salt", "http://acme.org/minerals"))
    hub.put_in(value_set("few", compose={"include": [stones], "exclude": [left]}))

    assert found(hub, "Condition?code:in=ValueSet/few") == ["salt"]


def test_a_filter_on_a_system_without_content_names_the_system(hub):
    hub.put_in(code_system(content="fragment"))

    answer = hub.get("Condition?code:in=ValueSet/birds")

    assert answer.status_code == 400
    assert ANIMALS in answer.text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("code:in=http://acme.org/none", "http://acme.org/none"),
        ("code:in=ValueSet/none", "ValueSet/none"),
        ("code:in=http://acme.org/birds|7", "http://acme.org/birds|7"),
        ("code:below=http://acme.org/minerals|stone", "http://acme.org/minerals"),
        ("code:below=http://acme.org/animals|unicorn", "unicorn"),
    ],
)
def test_what_is_missing_is_named(hub, query, named):
    answer = hub.get(f"Condition?{query}")

    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "not-found")
    assert named in answer.json()["issue"][0]["diagnostics"]


def test_a_broken_definition_is_told(make_hub):
    loose = make_hub(checks=Checks("off"))
    loose.put_in(value_set("broken", {"system": ANIMALS, "concept": [{"display": "no code"}]}))

    answer = loose.get("Condition?code:in=ValueSet/broken")

    assert answer.status_code == 400
    assert "broken" in answer.text


def test_value_sets_in_a_circle_are_told(hub):
    hub.put_in(
        value_set("one", {"valueSet": ["http://acme.org/two"]}),
        value_set("two", {"valueSet": ["http://acme.org/one"]}),
    )

    answer = hub.get("Condition?code:in=ValueSet/one")

    assert answer.status_code == 400
    assert "contain each other" in answer.text


def test_a_value_set_that_may_not_be_read_is_absent(hub):
    """Hidden and absent are the same."""
    scopes = (Scope("system", "Condition", "rs"), Scope("system", "CodeSystem", "rs"))
    hub.callers["narrow"] = replace(hub.callers["open"], scopes=scopes)

    hidden = hub.get("Condition?code:in=ValueSet/birds", by="narrow")
    absent = hub.get("Condition?code:in=ValueSet/none", by="narrow")

    assert hidden.status_code == absent.status_code == 400
    assert hidden.text.replace("birds", "none") == absent.text


def test_criteria_of_a_conditional_interaction_may_name_a_value_set(hub):
    answer = hub.delete("Condition?code:in=http://acme.org/minerals")

    assert answer.status_code == 204
    assert found(hub, "Condition?code:in=http://acme.org/minerals") == []


@pytest.fixture
def places(make_hub):
    made = make_hub()
    made.put_in(
        *(
            {"resourceType": "Location", "id": id}
            | ({"partOf": {"reference": f"Location/{above}"}} if above else {})
            for id, above in (("house", ""), ("ward", "house"), ("room", "ward"), ("yard", ""))
        ),
        *(
            {
                "resourceType": "Encounter",
                "id": f"in-{id}",
                "status": "finished",
                "class": {"code": "AMB"},
                "location": [{"location": {"reference": f"Location/{id}"}}],
            }
            for id in ("house", "ward", "room", "yard")
        ),
    )
    return made


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Encounter?location:below=Location/ward", ["in-room", "in-ward"]),
        ("Encounter?location:below=ward", ["in-room", "in-ward"]),
        ("Encounter?location:above=Location/ward", ["in-house", "in-ward"]),
        ("Encounter?location:above=Location/house", ["in-house"]),
        ("Encounter?location:below=Location/none", []),
        ("Location?partof:below=house", ["room", "ward"]),
    ],
)
def test_a_reference_above_or_below_goes_through_the_hierarchy(places, query, ids):
    assert found(places, query) == ids


def test_a_circle_of_places_ends(places):
    places.put_in(
        {"resourceType": "Location", "id": "house", "partOf": {"reference": "Location/room"}}
    )

    assert found(places, "Encounter?location:below=house") == ["in-house", "in-room", "in-ward"]
