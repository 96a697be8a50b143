"""https://hl7.org/fhir/R4/composition-operation-document.html"""

import pytest

BASE = "http://hub.test/fhir"


def to(text):
    return {"reference": text}


def composition(**more):
    return {
        "resourceType": "Composition",
        "id": "c1",
        "status": "final",
        "type": {"text": "Discharge summary"},
        "subject": to("Patient/p1"),
        "date": "2026-01-02",
        "author": [to("Practitioner/d1")],
        "title": "Discharge",
        "section": [
            {
                "title": "Findings",
                "text": {
                    "status": "generated",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
                },
                "entry": [to("Observation/o1"), to("Observation/o1")],
                "section": [
                    {
                        "title": "More",
                        "text": {
                            "status": "generated",
                            "div": '<div xmlns="http://www.w3.org/1999/xhtml">y</div>',
                        },
                        "entry": [to("Condition/k1")],
                    }
                ],
            }
        ],
    } | more


def observation(id, patient="p1", **more):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "x"},
        "subject": to(f"Patient/{patient}"),
        **more,
    }


RECORD = (
    {"resourceType": "Organization", "id": "house", "name": "House"},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Zhao"}]},
    {"resourceType": "Patient", "id": "p1", "managingOrganization": to("Organization/house")},
    {"resourceType": "Patient", "id": "p2"},
    observation("o1", hasMember=[to("Observation/o2"), to("Observation/o3"), to("Observation/no")]),
    observation("o2"),
    observation("o3", patient="p2"),
    {
        "resourceType": "Condition",
        "id": "k1",
        "subject": to("Patient/p1"),
        "code": {"text": "z"},
    },
    composition(),
)
HELD = [
    "Composition/c1",
    "Patient/p1",
    "Practitioner/d1",
    "Observation/o1",
    "Condition/k1",
    "Organization/house",
    "Observation/o2",
]


@pytest.fixture
def record(hub):
    hub.put_in(*RECORD)
    return hub


def keys(document):
    return [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"]]


def test_a_document_holds_what_the_composition_refers_to(record):
    document = record.get("Composition/c1/$document").json()

    assert (document["type"], keys(document)) == ("document", HELD)
    assert [each["fullUrl"] for each in document["entry"]] == [f"{BASE}/{each}" for each in HELD]


def test_a_document_is_valid_and_has_an_identity(record, validator):
    one, other = (record.get("Composition/c1/$document").json() for _ in range(2))

    assert validator.validate(one) == []
    assert one["identifier"]["value"].startswith("urn:uuid:")
    assert one["identifier"] != other["identifier"]


def test_the_composition_may_be_named_by_id(record):
    for id in ("c1", "Composition/c1", f"{BASE}/Composition/c1"):
        assert keys(record.get(f"Composition/$document?id={id}").json()) == HELD
    body = {"resourceType": "Parameters", "parameter": [{"name": "id", "valueUri": "c1"}]}
    assert keys(record.post("Composition/$document", body).json()) == HELD


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Composition/c1/$document?id=c1", 400),
        ("Composition/$document", 400),
        ("Composition/$document?id=http://elsewhere/Composition/1", 501),
        ("Composition/c1/$document?graph=urn:g", 501),
        ("Composition/c1/$document?persist=perhaps", 400),
        ("Composition/c1/$document?persist=true", 405),
        ("Composition/c1/$document?colour=red", 400),
        ("Composition/nobody/$document", 404),
    ],
)
def test_what_cannot_be_done_is_refused(record, path, status):
    answer = record.get(path)

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_document_that_persists_is_stored(record):
    answer = record.post("Composition/c1/$document?persist=true", None)

    stored = answer.json()
    assert (answer.status_code, keys(stored)) == (200, HELD)
    assert answer.headers["location"] == f"{BASE}/Bundle/{stored['id']}/_history/1"
    assert record.get(f"Bundle/{stored['id']}").json() == stored


def test_who_may_not_create_bundles_stores_none(hub):
    hub.put_in(*RECORD)

    assert hub.get("Composition/c1/$document", by="patient").status_code == 200
    assert hub.post("Composition/c1/$document?persist=true", None, by="patient").status_code == 403
    assert hub.ids("Bundle") == []


@pytest.mark.parametrize("lacking", ["Observation/absent", "Observation/o3", "http://else/where/1"])
def test_what_the_composition_refers_to_must_be_there(record, lacking):
    """Absent, hidden and elsewhere alike."""
    record.put_in(composition(section=[{"title": "F", "entry": [to(lacking)]}]))

    answer = record.get("Composition/c1/$document", by="patient")

    assert answer.status_code == 422
    [issue] = answer.json()["issue"]
    assert issue["expression"] == ["Composition.section[0].entry[0].reference"]
    assert lacking in issue["diagnostics"]


def test_internal_records_are_no_part_of_a_document(record):
    record.put_in(composition(section=[{"title": "F", "entry": [to(f"{BASE}/site/key")]}]))

    assert record.get("Composition/c1/$document").status_code == 422


def test_a_document_has_a_bound(make_hub):
    hub = make_hub(settings={"entry_limit": 3})
    hub.put_in(*RECORD)

    assert hub.get("Composition/c1/$document").status_code == 422
