"""Searches and histories of what stands in a List. https://hl7.org/fhir/R4/search.html#list"""

import pytest

from fhir_server.interactions.listed import MOST


def list_of(id, *references):
    return {
        "resourceType": "List",
        "id": id,
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": each}} for each in references],
    }


def condition(id, clinical, verification="confirmed"):
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": id,
        "subject": {"reference": "Patient/a"},
        "clinicalStatus": {"coding": [{"system": system + "clinical", "code": clinical}]},
        "verificationStatus": {"coding": [{"system": system + "ver-status", "code": verification}]},
    }


@pytest.fixture(autouse=True)
def filled(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "a", "gender": "male"},
        {"resourceType": "Patient", "id": "a", "gender": "female"},
        {"resourceType": "Patient", "id": "b"},
        {"resourceType": "Organization", "id": "o", "name": "x"},
        list_of("one", "Patient/a", "Organization/o"),
        list_of("two", "Patient/b", "Patient/none"),
        list_of("old", "Patient/a/_history/1"),
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Patient?_list=one", ["Patient/a"]),
        ("Patient?_list=List/one", ["Patient/a"]),
        ("Patient?_list=one,two", ["Patient/a", "Patient/b"]),
        ("Patient?_list=two&_list=one", []),
        ("Patient?_list=nothing", []),
        ("?_list=one", ["Organization/o", "Patient/a"]),
        ("?_list=one&_type=Patient", ["Patient/a"]),
    ],
)
def test_a_list_narrows_a_search(hub, path, found):
    assert hub.ids(path) == found


def test_a_hidden_list_is_as_one_that_is_not_there(hub):
    assert hub.ids("Organization?_list=one", by="operator") == ["Organization/o"]
    assert hub.ids("Organization?_list=one", by="clinic") == []


def test_functional_lists_are_what_is_so_now(hub):
    hub.put_in(
        condition("active", "active"),
        condition("again", "recurrence"),
        condition("over", "resolved"),
        condition("wrong", "active", "refuted"),
    )

    assert hub.ids("Condition?patient=a&_list=$current-problems") == [
        "Condition/active", "Condition/again",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query", ["_list=$current-nonsense", "_list=$current-problems", "_list=a/b", "_list:not=one"]
)
def test_what_is_no_list_for_the_type_is_a_bad_request(hub, query):
    assert hub.get(f"Patient?{query}").status_code == 400


def history(hub, path, **more):
    entries = hub.get(path, **more).json().get("entry", ())
    return [
        f"{e['resource']['resourceType']}/{e['resource']['id']}/{e['resource']['meta']['versionId']}"
        for e in entries
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("_history?_list=one", ["Organization/o/1", "Patient/a/2", "Patient/a/1"]),
        (
            "_history?_list=one&_sort=_lastUpdated",
            ["Patient/a/1", "Patient/a/2", "Organization/o/1"],
        ),
        ("Patient/_history?_list=one", ["Patient/a/2", "Patient/a/1"]),
        ("Patient/a/_history?_list=old", ["Patient/a/1"]),
        ("Patient/b/_history?_list=old", []),
        ("_history?_list=two&_since=2100", []),
    ],
)
def test_a_list_narrows_a_history(hub, path, found):
    assert history(hub, path) == found


def test_pages_of_a_lists_history_are_all_of_it_once(hub):
    path, found = "_history?_list=one&_count=1", []
    while path:
        found += history(hub, path)
        links = {each["relation"]: each["url"] for each in hub.get(path).json()["link"]}
        assert links["first"] == "http://hub.test/fhir/_history?_list=one&_count=1"
        path = links.get("next")

    assert found == ["Organization/o/1", "Patient/a/2", "Patient/a/1"]


def test_the_number_of_a_lists_versions_is_told(hub):
    assert hub.get("_history?_list=one&_summary=count").json()["total"] == 3


def test_a_list_of_too_many_is_too_costly(hub):
    hub.put_in(list_of("long", *(f"Patient/x{n}" for n in range(MOST + 1))))

    assert hub.get("_history?_list=long").status_code == 503


def test_a_hidden_list_has_no_history(hub):
    assert hub.get("Organization/_history?_list=one", by="clinic").status_code == 404
    assert hub.get("Organization/_history?_list=none", by="clinic").status_code == 404
