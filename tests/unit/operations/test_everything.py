"""https://hl7.org/fhir/R4/patient-operation-everything.html and its kin for encounters"""

import pytest

from fhir_server.audit import row
from fhir_server.model import Key, Query
from fhir_server.operations.care_dates import CARE_DATE
from fhir_server.operations.referred import references
from fhir_server.search.tree import EVERYTHING

BASE = "http://hub.test/fhir"


def to(text):
    return {"reference": text}


def made(type, id, **more):
    return {"resourceType": type, "id": id, **more}


def observation(id, patient="p1", date="2026-01-05", **more):
    return made(
        "Observation",
        id,
        status="final",
        code={"text": "x"},
        subject=to(f"Patient/{patient}"),
        effectiveDateTime=date,
        **more,
    )


RECORD = (
    made("Organization", "ward", name="Ward", partOf=to("Organization/house")),
    made("Organization", "house", name="House"),
    made("Organization", "unrelated", name="U"),
    made("Practitioner", "d1", name=[{"family": "Zhao"}]),
    made("Practitioner", "d2", name=[{"family": "Qian"}]),
    made("Medication", "m1", code={"text": "aspirin"}),
    made("Patient", "p1", managingOrganization=to("Organization/ward")),
    made("Patient", "p2", generalPractitioner=[to("Practitioner/d2")]),
    made(
        "Encounter",
        "e1",
        status="finished",
        **{"class": {"code": "AMB"}},
        subject=to("Patient/p1"),
        period={"start": "2026-01-05", "end": "2026-01-06"},
        diagnosis=[{"condition": to("Condition/c1")}],
    ),
    made("Condition", "c1", subject=to("Patient/p1"), code={"text": "y"}),
    observation("o1", encounter=to("Encounter/e1"), performer=[to("Practitioner/d1")]),
    observation("o2", date="2026-03-01", performer=[to(f"{BASE}/Practitioner/d1")]),
    observation("o3", patient="p2", performer=[to("Practitioner/d2")]),
    made(
        "MedicationStatement",
        "s1",
        status="active",
        medicationReference=to("Medication/m1"),
        subject=to("Patient/p1"),
        informationSource=to("Practitioner/gone"),
    ),
    made(
        "AllergyIntolerance",
        "a1",
        patient=to("Patient/p1"),
        clinicalStatus={
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
    ),
)

MEMBERS = [
    "Patient/p1",
    "AllergyIntolerance/a1",
    "Condition/c1",
    "Encounter/e1",
    "MedicationStatement/s1",
    "Observation/o1",
    "Observation/o2",
]
MORE = ["Medication/m1", "Organization/house", "Organization/ward", "Practitioner/d1"]


@pytest.fixture
def record(hub):
    hub.put_in(*RECORD)
    return hub


def pages(hub, path, by="open"):
    """Return the entries of each page, as Type/id with the mode."""
    found, url = [], path
    while url:
        answer = hub.get(url, by=by)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(
            [
                (f"{e['resource']['resourceType']}/{e['resource']['id']}", e["search"]["mode"])
                for e in page.get("entry", ())
            ]
        )
        url = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
    return found


def names(hub, path, by="open"):
    return [name for page in pages(hub, path, by) for name, _ in page]


def test_a_patient_has_the_compartment_and_what_it_refers_to(record):
    [page] = pages(record, "Patient/p1/$everything")

    assert [name for name, mode in page if mode == "match"] == MEMBERS
    assert [name for name, mode in page if mode == "include"] == MORE


def test_the_whole_is_counted_where_it_is_one_page(record):
    assert record.get("Patient/p1/$everything").json()["total"] == len(MEMBERS)
    assert "total" not in record.get("Patient/p1/$everything?_count=2").json()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 11, 12])
def test_each_record_is_in_one_page(record, count):
    found = pages(record, f"Patient/p1/$everything?_count={count}")

    assert [name for page in found for name, _ in page] == MEMBERS + MORE
    assert all(len(page) == count for page in found[:-1])
    assert found[-1]


def test_all_patients(record):
    found = names(record, "Patient/$everything?_count=4")

    assert sorted(found) == sorted(
        [*MEMBERS, *MORE, "Patient/p2", "Observation/o3", "Practitioner/d2"]
    )


def test_a_patient_sees_the_own_record_alone(record):
    found = names(record, "Patient/$everything", by="patient")

    assert found == MEMBERS + MORE
    assert record.get("Patient/p2/$everything", by="patient").status_code == 404


def test_an_encounter_has_what_belongs_to_it_and_its_patient(record):
    assert names(record, "Encounter/e1/$everything") == [
        "Encounter/e1",
        "Observation/o1",
        "Condition/c1",
        "Patient/p1",
        "Practitioner/d1",
    ]


def test_types(record):
    assert names(record, "Patient/p1/$everything?_type=Observation,Encounter") == [
        "Encounter/e1",
        "Observation/o1",
        "Observation/o2",
    ]
    assert names(record, "Patient/p1/$everything?_type=Practitioner&_type=Patient") == [
        "Patient/p1",
        "Practitioner/d1",
    ]


def test_since_is_about_when_records_changed(record):
    changed = record.get("Observation/o2").json() | {"effectiveDateTime": "2026-03-02"}
    record.put_in(changed)
    since = record.get("Observation/o2").json()["meta"]["lastUpdated"]

    assert names(record, f"Patient/p1/$everything?_since={since}") == ["Observation/o2"]


def test_start_and_end_are_about_care(record):
    found = names(record, "Patient/p1/$everything?start=2026-02-01&end=2026-03-01")

    assert found == [
        "Patient/p1",
        "AllergyIntolerance/a1",
        "Condition/c1",
        "MedicationStatement/s1",
        "Observation/o2",
        *MORE,
    ]


OVER = {
    "abatementDateTime": "2012",
    "clinicalStatus": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "resolved",
            }
        ]
    },
}


def test_a_condition_that_is_over_is_in_no_later_range(hub):
    hub.put_in(
        made("Patient", "p1"),
        *(
            made(
                "Condition",
                id,
                subject=to("Patient/p1"),
                onsetDateTime="2010",
                **more,
            )
            for id, more in (("over", OVER), ("lasting", {}))
        ),
    )

    assert names(hub, "Patient/p1/$everything?start=2020") == ["Patient/p1", "Condition/lasting"]
    assert len(names(hub, "Patient/p1/$everything?end=2011")) == 3
    assert names(hub, "Patient/p1/$everything?end=2009") == ["Patient/p1"]


def test_parameters_come_in_a_body_too(record):
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueCode": "Observation"},
            {"name": "_count", "valueInteger": 1},
        ],
    }

    answer = record.post("Patient/p1/$everything", body).json()

    assert [e["resource"]["id"] for e in answer["entry"]] == ["o1"]
    [next] = [each["url"] for each in answer["link"] if each["relation"] == "next"]
    assert names(record, next) == ["Observation/o2"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_count=0", 400),
        ("_count=x", 400),
        ("_count=1&_count=2", 400),
        ("_since=yesterday", 400),
        ("start=2026-13", 400),
        ("_type=Thing", 400),
        ("_type=AuditEvent", 501),
        ("code=x", 400),
        ("_cursor=abc", 400),
    ],
)
def test_what_cannot_be_understood_is_refused(record, query, status):
    answer = record.get(f"Patient/p1/$everything?{query}")

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_page_link_holds_for_its_caller_and_question_alone(record):
    page = record.get("Patient/p1/$everything?_count=2").json()
    [next] = [each["url"] for each in page["link"] if each["relation"] == "next"]
    cursor = next.partition("_cursor=")[2]

    assert record.get(next, by="patient").status_code == 400
    assert record.get(f"Patient/p2/$everything?_count=2&_cursor={cursor}").status_code == 400
    assert record.get(f"Patient/p1/$everything?_count=3&_cursor={cursor}").status_code == 400


def test_absent_hidden_and_deleted(record):
    record.delete("Observation/o1")
    record.delete("Patient/p2")

    assert record.get("Patient/nobody/$everything").status_code == 404
    assert record.get("Patient/p1/$everything", by="stranger").status_code == 404
    assert record.get("Patient/p2/$everything").status_code == 410
    assert record.get("Patient/$everything", by="admin").status_code == 403
    assert "Observation/o1" not in names(record, "Patient/p1/$everything")


def test_the_trail_names_the_patients(record):
    record.get("Patient/$everything")

    page = record.run(record.server.store.search(Query("audit", EVERYTHING, limit=100)))
    rows = [row.read(version) for version in page.versions]
    [told] = [each for each in rows if each.interaction == "operation$everything"]
    assert told.patients == ("p1", "p2")


def test_records_of_other_patients_are_not_drawn_in(hub):
    hub.put_in(
        made("Patient", "p2"),
        made("Patient", "p1", link=[{"other": to("Patient/p2"), "type": "seealso"}]),
        observation("o2", patient="p2"),
        observation("o1", hasMember=[to("Observation/o2")]),
    )

    assert names(hub, "Patient/p1/$everything") == ["Patient/p1", "Observation/o1"]


def test_a_binary_of_an_attachment_is_among_it(hub):
    hub.put_in(
        made("Patient", "p1"),
        made("Binary", "b1", contentType="text/plain", data="eA=="),
        made(
            "DocumentReference",
            "x",
            status="current",
            subject=to("Patient/p1"),
            content=[{"attachment": {"url": "Binary/b1"}}],
        ),
    )

    assert "Binary/b1" in names(hub, "Patient/p1/$everything")


def test_every_care_date_is_a_date_of_a_member(definitions):
    for type, param in CARE_DATE.items():
        assert type in definitions.compartment("Patient")
        assert definitions.search_parameters(type)[param].type == "date"


def test_references_are_found_however_they_are_written(make_hub):
    hub = make_hub()
    forms = (
        r'{"reference":"Organization/o1"}',
        r'{"reference" : "Organization\/o2"}',
        r'{"reference":"http://hub.test/fhir/Organization/o3/_history/4"}',
        r'{"reference":"http:\/\/hub.test\/fhir\/Organization\/o4"}',
        r'{"reference":"http://elsewhere/fhir/Organization/no"}',
        r'{"display":"\"reference\":\"Organization/no\""}',
    )
    body = (
        b'{"resourceType":"Basic","id":"b","code":{"text":"x"},"extension":[%s]}'
        % ",".join(f'{{"url":"urn:x","valueReference":{form}}}' for form in forms).encode()
    )
    assert hub.put("Basic/b", body).status_code == 201
    version = hub.run(hub.server.store.read(Key("Basic", "b")))

    found = list(references(hub.server, version, {BASE}))

    assert found == [Key("Organization", f"o{number}") for number in (1, 2, 3, 4)]


def test_a_page_whose_type_is_gone_goes_on_with_the_next(record):
    page = record.get("Patient/p1/$everything?_count=2").json()
    [next] = [each["url"] for each in page["link"] if each["relation"] == "next"]
    record.delete("AllergyIntolerance/a1")

    assert names(record, next) == [*MEMBERS[2:], *MORE]


def test_of_an_encounter_what_it_refers_to_may_be_of_any_type(record):
    assert names(record, "Encounter/e1/$everything?_type=Condition") == ["Condition/c1"]
