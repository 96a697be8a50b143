"""Searches of contained resources. https://hl7.org/fhir/R4/search.html#contained"""

import pytest


def concept(code):
    return {"coding": [{"system": "urn:drugs", "code": code}]}


def drug(id, code, form="tablet", **more):
    return {
        "resourceType": "Medication",
        "id": id,
        "code": concept(code),
        "form": concept(form),
        **more,
    }


def of(id):
    return [{"itemReference": {"reference": f"#{id}"}}]


def order(id, *contained, uses="#m1"):
    made = {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationReference": {"reference": uses},
    }
    return made | ({"contained": list(contained)} if contained else {})


@pytest.fixture(autouse=True)
def filled(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "p"},
        drug("abc", "abc"),
        order("plain", uses="Medication/abc"),
        order("in", drug("m1", "abc")),
        order("two", drug("m1", "xyz", "syrup", ingredient=of("m2")), drug("m2", "abc", "drops")),
    )


def urls(hub, path):
    answer = hub.get(path)
    assert answer.status_code == 200, answer.text
    return [e["fullUrl"].removeprefix("http://hub.test/fhir/") for e in answer.json()["entry"]]


def test_a_chain_is_evaluated_inside_contained_resources(hub):
    found = hub.ids("MedicationRequest?medication.code=urn:drugs|abc&_sort=_id")
    assert found == ["MedicationRequest/in", "MedicationRequest/plain"]


def test_a_chain_goes_to_the_contained_resource_that_the_reference_names(hub):
    assert hub.ids("MedicationRequest?medication:Medication.form=drops") == []
    assert hub.ids("MedicationRequest?medication:Medication.form=syrup") == [
        "MedicationRequest/two"
    ]


def test_a_plain_search_finds_nothing_contained(hub):
    assert hub.ids("Medication?code=abc") == ["Medication/abc"]
    assert hub.ids("Medication?_contained=false&code=xyz") == []


def test_containers_are_found_by_what_they_contain(hub):
    found = urls(hub, "Medication?code=abc&_contained=true")
    assert found == ["MedicationRequest/in", "MedicationRequest/two"]


def test_all_criteria_hold_for_one_contained_resource(hub):
    assert urls(hub, "Medication?code=abc&form=drops&_contained=true") == ["MedicationRequest/two"]
    assert hub.ids("Medication?code=abc&form=syrup&_contained=true") == []
    assert urls(hub, "Medication?code=abc&form:not=drops&_contained=true") == [
        "MedicationRequest/in"
    ]


def test_both_finds_what_stands_alone_and_what_is_contained(hub):
    assert urls(hub, "Medication?code=abc&_contained=both") == [
        "Medication/abc", "MedicationRequest/in", "MedicationRequest/two",
    ]  # fmt: skip


def test_the_contained_resource_alone_is_shown_when_asked_for(hub):
    path = "Medication?code=abc&_contained=both&_containedType=contained"
    entries = hub.get(path).json()["entry"]

    assert urls(hub, path) == [
        "Medication/abc", "MedicationRequest/in#m1", "MedicationRequest/two#m2",
    ]  # fmt: skip
    assert entries[2]["resource"] == drug("m2", "abc", "drops")
    assert entries[2]["search"] == {"mode": "match"}


def test_a_container_that_matches_itself_comes_once(hub):
    hub.put_in(drug("kit", "kit", contained=[drug("part", "kit")], ingredient=of("part")))

    assert urls(hub, "Medication?code=kit&_contained=both") == ["Medication/kit"]
    assert urls(hub, "Medication?code=kit&_contained=both&_containedType=contained") == [
        "Medication/kit", "Medication/kit#part",
    ]  # fmt: skip


def test_an_id_is_that_of_the_contained_resource(hub):
    assert urls(hub, "Medication?_id=m2&_contained=true") == ["MedicationRequest/two"]


def test_several_types_are_sought_in_containers(hub):
    hub.put_in(
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"text": "x"},
            "contained": [{"resourceType": "Patient", "id": "x", "active": True}],
            "subject": {"reference": "#x"},
        }
    )

    found = urls(hub, "?_type=Patient,Medication&_id=x,m2&_contained=true")
    assert found == ["MedicationRequest/two", "Observation/o"]


def test_pages_of_containers_follow_each_other(hub):
    first = hub.get("Medication?code=abc&_contained=both&_count=2").json()
    link = next(each["url"] for each in first["link"] if each["relation"] == "next")

    assert [e["resource"]["id"] for e in first["entry"]] == ["abc", "in"]
    assert hub.ids(link) == ["MedicationRequest/two"]


def test_containers_are_counted(hub):
    assert hub.get("Medication?code=abc&_contained=both&_summary=count").json()["total"] == 3


def test_what_is_contained_no_more_is_found_no_more(hub):
    hub.put_in(order("in", uses="Medication/abc"))

    assert urls(hub, "Medication?code=abc&_contained=true") == ["MedicationRequest/two"]


def test_elements_are_cut_from_contained_resources(hub):
    path = "Medication?form=drops&_contained=true&_containedType=contained&_elements=form"
    [entry] = hub.get(path).json()["entry"]

    assert sorted(entry["resource"]) == ["form", "id", "meta", "resourceType"]


def test_a_hidden_container_is_not_found(hub):
    path = "Medication?code=abc&_contained=true"
    assert hub.ids(path, by="clinic") == []


def test_containers_below_a_compartment(hub):
    assert urls(hub, "Patient/p/MedicationRequest?status=active&_id=in") == ["MedicationRequest/in"]
    assert hub.get("Patient/p/Medication?_contained=true").status_code == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_contained=maybe", 400),
        ("_containedType=maybe", 400),
        ("_contained=true&manufacturer.name=x", 501),
        ("_contained=true&_sort=code", 501),
        ("_contained=true&_containedType=contained&_total=accurate", 501),
    ],
)
def test_what_is_not_asked_of_contained_resources_is_refused(hub, query, status):
    assert hub.get(f"Medication?{query}").status_code == status
