"""What a page includes, and how it goes on. https://hl7.org/fhir/R4/search.html#include"""

from dataclasses import replace

import pytest

from fhir_server.interactions.write import derived
from fhir_server.model import Key


def observation(id, subject="a", **more):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{subject}"},
        **more,
    }


def members(*ids):
    return [{"reference": f"Observation/{id}"} for id in ids]


@pytest.fixture
def small(make_hub):
    """A hub that includes two at a time: Patient/a with five observations of Practitioner/d."""
    hub = make_hub(settings={"include_limit": 2})
    hub.put_in(
        {"resourceType": "Practitioner", "id": "d"},
        {"resourceType": "Patient", "id": "a"},
        {"resourceType": "Patient", "id": "b"},
        *(observation(f"o{n}", performer=[{"reference": "Practitioner/d"}]) for n in range(5)),
        observation("p", "b"),
    )
    return hub


def links(answer):
    return {each["relation"]: each["url"] for each in answer.json()["link"]}


def pages(hub, path, by="open"):
    """Return what each page includes, following the related links."""
    found = []
    while path:
        answer = hub.get(path, by=by)
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", ())
        found.append([e["resource"]["id"] for e in entries if e["search"]["mode"] == "include"])
        path = links(answer).get("related")
    return found


def test_what_does_not_fit_a_page_comes_on_others(small):
    found = pages(small, "Patient?_id=a&_revinclude=Observation:subject")
    assert found == [["o0", "o1"], ["o2", "o3"], ["o4"]]


def test_a_page_that_is_not_all_says_so(small):
    entries = small.get("Patient?_id=a&_revinclude=Observation:subject").json()["entry"]

    assert entries[-1]["search"]["mode"] == "outcome"
    assert "related" in entries[-1]["resource"]["issue"][0]["diagnostics"]


def test_the_rest_of_a_page_has_no_matches(small):
    first = small.get("Patient?_id=a&_revinclude=Observation:subject")
    rest = small.get(links(first)["related"]).json()

    assert {e["search"]["mode"] for e in rest["entry"]} == {"include", "outcome"}
    assert "total" not in rest


def test_types_follow_one_another(small):
    path = "Patient?_id=a&_revinclude=Observation:subject&_revinclude=Provenance:target"
    target = [{"reference": "Patient/a"}]
    agent = [{"who": {"display": "x"}}]
    for n in range(3):
        small.put_in(
            {
                "resourceType": "Provenance",
                "id": f"v{n}",
                "target": target,
                "recorded": "2026-01-01T00:00:00Z",
                "agent": agent,
            }
        )

    assert pages(small, path) == [["o0", "o1"], ["o2", "o3"], ["o4", "v0"], ["v1", "v2"]]


def test_iterating_goes_on_too(small):
    path = (
        "Patient?_id=a&_revinclude=Observation:subject"
        "&_include:iterate=Observation:performer&_include:iterate=Observation:subject"
    )
    assert pages(small, path) == [["o0", "o1"], ["o2", "o3"], ["o4", "d"]]


def test_a_circle_ends(small):
    small.put_in(observation("x", hasMember=members("y")), observation("y", hasMember=members("x")))
    path = "Observation?_id=x&_include:iterate=Observation:has-member"
    assert pages(small, path) == [["y"]]


def test_a_long_way_is_followed_so_far_and_that_is_told(make_hub):
    hub = make_hub()
    hub.put_in(*(observation(f"o{n}", hasMember=members(f"o{n + 1}")) for n in range(14)))
    answer = hub.get("Observation?_id=o0&_include:iterate=Observation:has-member").json()

    assert [e["resource"].get("id") for e in answer["entry"][1:-1]] == [
        f"o{n}" for n in range(1, 11)
    ]
    assert answer["entry"][-1]["resource"]["issue"][0]["code"] == "too-costly"


def test_each_page_of_matches_has_its_own(small):
    first = small.get("Patient?_count=1&_revinclude=Observation:subject")
    second = small.get(links(first)["next"])

    assert pages(small, links(first)["related"]) == [["o2", "o3"], ["o4"]]
    assert [e["resource"]["id"] for e in second.json()["entry"]] == ["b", "p"]
    assert "related" not in links(second)


def test_what_comes_in_between_moves_nothing(small):
    first = small.get("Patient?_count=1&_sort=-_id&_revinclude=Observation:subject")
    second = small.get(links(first)["next"])
    small.put_in({"resourceType": "Patient", "id": "aa"}, observation("new", "a"))
    small.delete("Observation/o0")

    assert pages(small, links(second)["related"]) == [["o2", "o3"], ["o4", "new"]]


def test_a_page_of_what_is_included_is_its_callers(small):
    related = links(small.get("Patient?_id=a&_revinclude=Observation:subject"))["related"]

    assert small.get(related, by="operator").status_code == 400


def test_rights_that_end_meanwhile_end_what_is_included(make_hub):
    hub = make_hub(settings={"include_limit": 1})
    people = {"resourceType": "Patient", "id": "a"}
    hub.put_in(people, observation("o1"), observation("o2"), by="feed")
    related = links(hub.get("Patient?_revinclude=Observation:subject", by="physician"))["related"]
    assert pages(hub, related, by="physician") == [["o2"]]
    elsewhere = {"organization": "clinic", "organizations": frozenset(("clinic",))}
    hub.callers["physician"] = replace(hub.callers["physician"], **elsewhere)

    assert pages(hub, related, by="physician") == [[]]


def test_a_version_that_a_reference_names_is_included(hub):
    hub.put_in({"resourceType": "Patient", "id": "a", "gender": "male"})
    hub.put_in({"resourceType": "Patient", "id": "a", "gender": "female"})
    hub.put_in(
        observation("old", "a/_history/1"), observation("new", "a/_history/2"), observation("any")
    )

    def genders(ids):
        found = hub.get(f"Observation?_id={ids}&_include=Observation:subject").json()["entry"]
        return [e["resource"]["gender"] for e in found if e["search"]["mode"] == "include"]

    assert genders("old") == ["male"]
    assert genders("new") == ["female"]
    assert genders("any") == ["female"]
    assert genders("old,new,any") == ["male", "female"]


def test_a_version_is_included_for_whom_may_read_it(hub):
    hub.put_in({"resourceType": "Patient", "id": "a"}, by="feed")
    of_clinic = derived(hub.server, Key("Observation", "o"), observation("o", "a/_history/1"), None,
                        "clinic")  # fmt: skip
    hub.run(hub.server.store.commit([of_clinic]))

    assert hub.ids("Observation?_include=Observation:subject", by="clinic") == ["Observation/o"]
    assert hub.ids("Observation?_include=Observation:subject", by="operator")[1:] == ["Patient/a"]


def test_whatever_refers_to_the_matches_is_included(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "a"},
        observation("o"),
        {"resourceType": "Group", "id": "g", "type": "person", "actual": True,
         "member": [{"entity": {"reference": "Patient/a"}}]},
        {"resourceType": "Basic", "id": "x", "code": {"text": "x"}},
    )  # fmt: skip

    assert hub.ids("Patient?_revinclude=*") == ["Patient/a", "Group/g", "Observation/o"]
