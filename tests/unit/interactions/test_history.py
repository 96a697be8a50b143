"""https://hl7.org/fhir/R4/http.html#history"""

import pytest

PATIENT = {"resourceType": "Patient", "id": "a"}


def links(answer):
    return {link["relation"]: link["url"] for link in answer.json()["link"]}


def told(answer):
    """Return `Type/id@vid` of all entries."""
    assert answer.status_code == 200, answer.text
    return [
        f"{entry['fullUrl'].partition('/fhir/')[2]}@{entry['response']['etag'][3:-1]}"
        for entry in answer.json().get("entry", [])
    ]


@pytest.fixture
def past(hub):
    """Five versions a second apart: a@1 b@1 o@1 a@2 b@2 (a deletion), from 1_780_000_001 on."""
    hub.put_in(PATIENT, {"resourceType": "Patient", "id": "b"})
    hub.put_in({"resourceType": "Organization", "id": "o", "name": "O"})
    hub.put_in(PATIENT | {"active": True})
    hub.delete("Patient/b")
    return hub


def test_one_record_newest_first_with_deletions(past):
    """ "Sorted with oldest versions last, and includes deleted resources." """
    past.delete("Patient/a")

    found = past.get("Patient/a/_history").json()

    assert found["type"] == "history"
    assert [e["request"]["method"] for e in found["entry"]] == ["DELETE", "PUT", "PUT"]
    assert ["resource" in e for e in found["entry"]] == [False, True, True]
    assert [e["response"]["etag"] for e in found["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert found["total"] == 3


def test_a_type(past):
    """GET [base]/[type]/_history: "the history interaction retrieves the history of … all resources
    of a given type"."""
    assert told(past.get("Patient/_history")) == [
        "Patient/b@2",
        "Patient/a@2",
        "Patient/b@1",
        "Patient/a@1",
    ]


def test_the_whole_hub(past):
    """GET [base]/_history: "all resources supported by the system"; the hub's own are none."""
    assert told(past.get("_history")) == [
        "Patient/b@2",
        "Patient/a@2",
        "Organization/o@1",
        "Patient/b@1",
        "Patient/a@1",
    ]


def test_a_creation_by_post_is_told_as_such(hub):
    id = hub.made({"resourceType": "Patient"})

    [entry] = hub.get(f"Patient/{id}/_history").json()["entry"]

    assert entry["request"] == {"method": "POST", "url": "Patient"}
    assert entry["response"]["status"].startswith("201")


@pytest.mark.parametrize("scope", ["_history", "Patient/_history", "Patient/a/_history"])
@pytest.mark.parametrize("more", ["", "&_sort=_lastUpdated", "&_since=2026-05-28", "&_at=2026"])
def test_pages_have_each_version_once(past, scope, more):
    whole = told(past.get(f"{scope}?_count=100{more}"))
    found, url = [], f"{scope}?_count=1{more}"
    while url:
        answer = past.get(url)
        if len(found) < 2:
            past.put_in({"resourceType": "Patient", "id": f"new{len(found)}"})
        found += told(answer)
        url = links(answer).get("next")

    assert [each for each in found if "new" not in each] == whole


@pytest.mark.parametrize("scope", ["_history", "Patient/_history", "Patient/a/_history"])
@pytest.mark.parametrize("more", ["", "&_sort=_lastUpdated", "&_since=2026-05-28", "&_at=2026"])
def test_previous_links_lead_back_over_the_same_pages(past, scope, more):
    forth, url = [], f"{scope}?_count=1{more}"
    while url:
        answer = past.get(url)
        forth.append(told(answer))
        url = links(answer).get("next")
    back = [forth[-1]]
    while url := links(answer).get("previous"):
        answer = past.get(url)
        back.insert(0, told(answer))

    assert len(forth) > 1
    assert back == forth
    assert links(past.get(links(answer)["next"])).keys() >= {"self", "first", "previous"}


def test_the_first_page_has_no_previous_link(past):
    assert "previous" not in links(past.get("_history?_count=1"))


def test_a_page_before_what_came_newly_is_found(past):
    second = past.get(links(past.get("Patient/_history?_count=2"))["next"])
    past.put_in({"resourceType": "Patient", "id": "new"})

    first = past.get(links(second)["previous"])

    assert told(first) == ["Patient/b@2", "Patient/a@2"]
    assert told(past.get(links(first)["previous"])) == ["Patient/new@1"]


def test_a_list_has_pages_forth_and_back(past):
    items = [{"item": {"reference": f"Patient/{id}"}} for id in "ab"]
    given = {"resourceType": "List", "id": "l", "status": "current", "mode": "working"}
    past.put_in(given | {"entry": items})
    first = past.get("_history?_list=l&_count=2")
    second = past.get(links(first)["next"])

    back = past.get(links(second)["previous"])

    assert told(back) == told(first)


def test_a_count_of_nothing_asks_for_the_number_alone(past):
    found = past.get("Patient/_history?_count=0").json()

    assert (found["total"], "entry" in found) == (4, False)


def test_a_creation_by_put_is_told_as_such(past):
    statuses = [e["response"]["status"] for e in past.get("Patient/a/_history").json()["entry"]]

    assert statuses == ["200 OK", "201 Created"]


def test_since(past):
    """ "… that were created at or after the given instant in time." """
    assert told(past.get("_history?_since=2026-05-28T20:26:44Z")) == ["Patient/b@2", "Patient/a@2"]


def test_at(past):
    """ "Only include resource versions that were current at some point during the time period
    specified in the date time value." """
    assert told(past.get("_history?_at=2026-05-28T20:26:43.500Z")) == [
        "Organization/o@1",
        "Patient/b@1",
        "Patient/a@1",
    ]
    assert told(past.get("_history?_at=2025")) == []


def test_sort(past):
    assert told(past.get("Patient/a/_history?_sort=_lastUpdated")) == ["Patient/a@1", "Patient/a@2"]
    assert told(past.get("Patient/a/_history?_sort=none")) == ["Patient/a@2", "Patient/a@1"]


def test_a_next_link_holds_for_its_query_alone(past):
    url = links(past.get("Patient/_history?_count=1"))["next"]

    assert past.get(url.replace("/Patient/", "/")).status_code == 400
    assert past.get(f"{url}&_since=2020").status_code == 400


def test_the_history_of_nothing_is_not_found(hub):
    assert hub.get("Patient/nobody/_history").status_code == 404


def test_the_history_of_a_type_without_records_is_empty(hub):
    assert told(hub.get("Basic/_history")) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_since=yesterday", 400),
        ("_at=x", 400),
        ("_count=x", 400),
        ("_count=-1", 400),
        ("_sort=name", 400),
        ("_count=1&_count=2", 400),
        ("a=b", 400),
        ("_cursor=abc", 400),
        ("_list=List/1", 404),
        ("_list=$current-problems", 400),
    ],
)
def test_what_is_not_understood_is_refused(past, query, status):
    assert past.get(f"Patient/a/_history?{query}").status_code == status
    assert past.get(f"_history?{query}").status_code == status


def test_who_sees_nothing_of_a_type_is_forbidden(hub):
    assert hub.get("Patient/_history", by="auditor").status_code == 403


def test_only_what_the_caller_may_see(hub):
    hub.put_in(PATIENT | {"id": "p1"}, PATIENT | {"id": "p2"})

    assert told(hub.get("Patient/_history", by="patient")) == ["Patient/p1@1"]
