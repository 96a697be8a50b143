"""Searches below a compartment. https://hl7.org/fhir/R4/compartmentdefinition.html"""

import pytest

RESOURCES = [
    {"resourceType": "Patient", "id": "p"},
    {"resourceType": "Patient", "id": "q"},
    {"resourceType": "Practitioner", "id": "d"},
    {"resourceType": "Device", "id": "m"},
    {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}},
    {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p"},
        "participant": [{"individual": {"reference": "Practitioner/d"}}],
    },
    {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
        "performer": [{"reference": "Practitioner/d"}, {"reference": "RelatedPerson/r"}],
        "device": {"reference": "Device/m"},
    },
    {
        "resourceType": "Observation",
        "id": "other",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/q"},
    },
]


@pytest.fixture(autouse=True)
def filled(hub):
    hub.put_in(*RESOURCES)


@pytest.mark.parametrize(
    ("compartment", "members"),
    [
        ("Patient/p", ["Encounter/e", "Observation/o", "Patient/p", "RelatedPerson/r"]),
        ("Encounter/e", ["Encounter/e", "Observation/o"]),
        ("Practitioner/d", ["Encounter/e", "Observation/o", "Practitioner/d"]),
        ("RelatedPerson/r", ["Observation/o", "RelatedPerson/r"]),
        ("Device/m", ["Device/m", "Observation/o"]),
    ],
)
def test_a_compartment_holds_what_refers_to_its_resource_and_that(hub, compartment, members):
    assert hub.ids(f"{compartment}/*") == members
    assert hub.ids(f"{compartment}/Observation") == ["Observation/o"]
    assert hub.ids(f"{compartment}/*?_type=Observation") == ["Observation/o"]


def test_criteria_narrow_a_compartment(hub):
    assert hub.ids("Encounter/e/Observation?status=final") == ["Observation/o"]
    assert hub.ids("Encounter/e/Observation?status=amended") == []


@pytest.mark.parametrize("path", ["Encounter/e/_search", "Encounter/e/*/_search"])
def test_a_compartment_is_searched_by_post(hub, path):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hub.post(path, b"_type=Observation", headers=headers)

    assert [e["resource"]["id"] for e in answer.json()["entry"]] == ["o"]


def test_a_page_below_a_compartment_leads_to_the_next(hub):
    first = hub.get("Patient/p/*?_count=3").json()
    link = next(each["url"] for each in first["link"] if each["relation"] == "next")

    assert link.startswith("http://hub.test/fhir/Patient/p/*?")
    assert hub.ids(link) == ["RelatedPerson/r"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/nobody/Observation", 404),
        ("Encounter/nobody/*", 404),
        ("Patient/p/Nothing", 404),
        ("Organization/h/Observation", 404),
        ("Patient/p/Practitioner", 400),
        ("Encounter/e/Patient", 400),
        ("Encounter/e/*?_type=Observation,Patient", 400),
    ],
)
def test_what_is_no_compartment_or_not_of_it_is_refused(hub, path, status):
    assert hub.get(path).status_code == status


def test_a_hidden_compartment_is_as_one_that_is_not_there(hub):
    hidden, absent = (hub.get(f"Patient/{id}/Observation", by="clinic") for id in ("p", "none"))

    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace("Patient/p", "") == absent.text.replace("Patient/none", "")


def test_the_trail_of_a_patient_lies_in_the_compartment(hub):
    hub.get("Patient/p")
    found = hub.get("Patient/p/AuditEvent").json()["entry"]

    said = {str(e["resource"]["entity"][0]["what"]) for e in found}
    assert said == {"{'reference': 'Patient/p'}"}
    assert hub.get("Encounter/e/AuditEvent").status_code == 400
