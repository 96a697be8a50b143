"""https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements"""

import json

import pytest

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"tag": [{"system": "urn:t", "code": "mine"}]},
    "text": TEXT,
    "contained": [{"resourceType": "Basic", "id": "c", "code": {"text": "x"}}],
    "extension": [{"url": "urn:e", "valueString": "x"}],
    "modifierExtension": [{"url": "urn:m", "valueString": "x"}],
    "status": "final",
    "_status": {"extension": [{"url": "urn:e", "valueString": "x"}]},
    "code": {"text": "x"},
    "subject": {"reference": "#c"},
    "valueQuantity": {"value": 1, "unit": "g"},
    "note": [{"text": "n"}],
    "method": {"text": "m"},
    "component": [{"code": {"text": "y"}, "valueInteger": 1, "interpretation": [{"text": "H"}]}],
}
OTHER = {"resourceType": "Basic", "id": "d", "code": {"text": "x"}, "subject": {"reference": "#"}}
OWN = {"resourceType", "id", "meta"}
SUBSETTED = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(OBSERVATION)


def tags(resource):
    return [(tag["system"], tag["code"]) for tag in resource["meta"]["tag"]]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (
            "_summary=true",
            {"modifierExtension", "status", "code", "subject", "valueQuantity", "component"},
        ),
        ("_summary=text", {"text", "status", "_status", "code"}),
        (
            "_summary=data",
            set(OBSERVATION) - {"text"},
        ),
        ("_elements=note", {"note", "status", "_status", "code", "modifierExtension"}),
        (
            "_elements=Observation.value,method",
            {"valueQuantity", "method", "status", "_status", "code", "modifierExtension"},
        ),
        (
            "_elements=valueQuantity",
            {"valueQuantity", "status", "_status", "code", "modifierExtension"},
        ),
    ],
)
@pytest.mark.parametrize("path", ["Observation/o", "Observation/o/_history/1"])
def test_what_is_left(hub, path, query, left):
    """ "Servers SHOULD always return mandatory elements whether they are requested or not." """
    found = hub.get(f"{path}?{query}").json()

    assert set(found) == left | OWN
    assert tags(found) == [("urn:t", "mine"), SUBSETTED]


def test_false_is_the_whole(hub):
    """ "_summary=false: Return all parts of the resource(s)." """
    assert hub.get("Observation/o?_summary=false").json() == hub.get("Observation/o").json()


def test_the_summary_of_an_element_is_its_summary(hub):
    found = hub.get("Observation/o?_summary=true").json()

    assert found["component"] == [{"code": {"text": "y"}, "valueInteger": 1}]


@pytest.mark.parametrize("scope", ["Observation?", "Observation/_history?", "_history?"])
@pytest.mark.parametrize(
    "query", ["_summary=true", "_summary=text", "_summary=data", "_elements=note"]
)
def test_bundles_have_subsets(hub, scope, query):
    alone = hub.get(f"Observation/o?{query}").json()

    [entry] = hub.get(scope + query).json()["entry"]

    assert entry["resource"] == alone


@pytest.mark.parametrize("scope", ["Observation?", "Observation/_history?", "_history?"])
def test_count_is_the_number_alone(hub, scope):
    """ "count: Search only: just return a count of the matching resources." """
    found = hub.get(f"{scope}_summary=count").json()

    assert found["total"] == 1
    assert "entry" not in found


def test_elements_are_those_of_the_type_that_is_searched(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "p", "gender": "male", "maritalStatus": {"text": "x"}},
        OBSERVATION | {"id": "o2", "contained": [OTHER], "subject": {"reference": "Patient/p"}},
    )

    found = hub.get("Observation?_id=o2&_elements=note&_include=Observation:subject").json()

    assert found["entry"][1]["resource"]["maritalStatus"] == {"text": "x"}


def test_digits_survive(hub):
    hub.put(
        "Observation/o",
        json.dumps(OBSERVATION).replace('"value": 1', '"value": 1.50').encode(),
    )

    assert b'"value":1.50' in hub.get("Observation/o?_summary=true").content


@pytest.mark.parametrize(
    "path",
    [
        "Observation/o?_summary=count",
        "Observation/o?_summary=perhaps",
        "Observation/o?_summary=true&_summary=text",
        "Observation/o?_elements=nose",
        "Observation?_summary=text&_include=Observation:subject",
    ],
)
def test_what_cannot_be_is_refused(hub, path):
    assert hub.get(path).status_code == 400


def test_a_part_does_not_overwrite_the_whole(hub):
    """ "… to ensure that the incomplete resource is not accidentally used to overwrite a complete
    resource." """
    part = hub.get("Observation/o?_summary=true").json()

    answer = hub.put("Observation/o", part)

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Observation.meta.tag"]


def test_every_type_has_a_summary(hub, definitions, validator):
    """What the summary of a minimal resource says is a resource again."""
    from fhir_server.interactions.subset import Subset, reduced

    for type in sorted(definitions.resource_types):
        left = reduced(definitions, Subset("true"), {"resourceType": type, "id": "x"})
        assert left["resourceType"] == type
        assert left["id"] == "x"
