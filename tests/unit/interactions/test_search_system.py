"""Searches over several types. https://hl7.org/fhir/R4/search.html"""

import pytest

PEOPLE = [
    {"resourceType": "Patient", "id": name, "birthDate": born, "name": [{"family": family}]}
    for name, born, family in (("a", "1980", "Li"), ("b", "1970", "Wang"))
]
CARERS = [
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Li"}]},
    {"resourceType": "Organization", "id": "h", "name": "House"},
]


def observation(id, of, day, code="bp"):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"code": code}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": day,
    }


def condition(id, of, day):
    return {
        "resourceType": "Condition",
        "id": id,
        "code": {"coding": [{"code": "x"}]},
        "subject": {"reference": f"Patient/{of}"},
        "recordedDate": day,
    }


@pytest.fixture(autouse=True)
def filled(hub):
    hub.put_in(
        *PEOPLE,
        *CARERS,
        observation("o1", "a", "2026-01-01"),
        condition("c1", "a", "2026-01-02"),
        observation("o2", "b", "2026-01-03"),
        condition("c2", "b", "2026-01-04"),
    )


def paged(hub, path):
    """Return the ids of each page, following the links to the next."""
    found = []
    while path:
        answer = hub.get(path).json()
        found.append([e["resource"]["id"] for e in answer.get("entry", ())])
        path = next((k["url"] for k in answer["link"] if k["relation"] == "next"), None)
    return found


def flat(hub, path):
    return [id for page in paged(hub, path) for id in page]


def form(hub, path, text):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return hub.post(path, text.encode(), headers=headers)


def test_all_types_are_searched_one_after_the_other(hub):
    assert hub.ids("") == [
        "Condition/c1", "Condition/c2", "Observation/o1", "Observation/o2",
        "Organization/h", "Patient/a", "Patient/b", "Practitioner/d",
    ]  # fmt: skip


def test_types_are_searched_in_the_order_that_they_are_named_in(hub):
    assert hub.ids("?_type=Patient,Organization") == ["Patient/a", "Patient/b", "Organization/h"]


def test_a_parameter_of_all_types_named_is_a_criterion(hub):
    assert hub.ids("?_type=Patient,Practitioner&family=li") == ["Patient/a", "Practitioner/d"]


def test_a_chain_starts_at_each_type(hub):
    found = hub.ids("?_type=Observation,Condition&patient.family=wang")
    assert found == ["Observation/o2", "Condition/c2"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_type=Patient,Organization&birthdate=1980", "Organization"),
        ("birthdate=1980", "birthdate"),
        ("_type=Patient,Nothing", "Nothing"),
        ("_type=Patient&_type=Group", "_type"),
        ("_type=", "_type"),
        ("_type=Patient,AuditEvent", "AuditEvent"),
        ("_type=Patient,Organization&_sort=birthdate", "Organization"),
    ],
)
def test_what_a_type_does_not_know_is_a_bad_request_that_names_it(hub, query, named):
    answer = hub.get(f"?{query}")

    assert answer.status_code == 400
    assert named in answer.json()["issue"][0]["diagnostics"]


def test_whether_a_query_is_bad_does_not_depend_on_what_is_there(make_hub):
    empty = make_hub()

    assert empty.get("?birthdate=1980").status_code == 400
    assert empty.ids("?_type=Patient,Practitioner&family=li") == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 20])
def test_pages_of_all_types_are_everything_once(hub, size):
    pages = paged(hub, f"?_count={size}")

    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert [id for page in pages for id in page] == ["c1", "c2", "o1", "o2", "h", "a", "b", "d"]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("_lastUpdated", ["o1", "c1", "o2", "c2"]),
        ("-_lastUpdated", ["c2", "o2", "c1", "o1"]),
        ("patient,-_id", ["o1", "c1", "o2", "c2"]),
        ("-patient,_id", ["c2", "o2", "c1", "o1"]),
        ("code", ["o1", "o2", "c1", "c2"]),
        ("-code", ["c2", "c1", "o2", "o1"]),
        ("category", ["o1", "o2", "c1", "c2"]),
        ("-category", ["o2", "o1", "c2", "c1"]),
    ],
)
def test_a_sort_merges_the_types(hub, sort, order, size):
    assert flat(hub, f"?_type=Observation,Condition&_sort={sort}&_count={size}") == order


def test_equal_values_of_several_types_page_without_loss(hub):
    for n in range(3):
        hub.put_in(observation(f"p{n}", "a", "2026-02-01"), condition(f"q{n}", "a", "2026-02-01"))
    for sort in ("code", "-code", "patient", "-patient", "category", "-category"):
        path = f"?_type=Observation,Condition&_sort={sort}&_count="
        assert flat(hub, path + "1") == flat(hub, path + "100")
        assert len(flat(hub, path + "1")) == 10


def test_the_total_is_that_of_all_types(hub):
    assert hub.get("?_summary=count").json()["total"] == 8
    assert hub.get("?_type=Patient,Condition&_total=accurate&_count=1").json()["total"] == 4


def test_a_form_searches_all_types(hub):
    answer = form(hub, "_search?_type=Patient,Practitioner", "family=li")

    assert [e["resource"]["id"] for e in answer.json()["entry"]] == ["a", "d"]


def test_the_self_link_says_what_was_used(hub):
    answer = hub.get("?_type=Patient,Group&_count=5&name=x", headers={"Prefer": "handling=lenient"})

    assert answer.json()["entry"][-1]["search"]["mode"] == "outcome"
    assert answer.json()["link"][0] == {
        "relation": "self",
        "url": "http://hub.test/fhir?_type=Patient%2CGroup&_count=5",
    }


def test_what_is_included_follows_from_each_type(hub):
    found = hub.ids("?_type=Observation,Condition&_include=Observation:subject&patient=a")
    assert found == ["Observation/o1", "Condition/c1", "Patient/a"]


def test_types_that_may_not_be_searched_are_as_if_empty(hub):
    assert hub.get("Patient", by="auditor").status_code == 403
    assert hub.ids("?_type=Patient,Organization", by="auditor") == ["Organization/h"]
    assert hub.ids("?_type=Patient", by="auditor") == []


def test_audit_events_are_searched_by_themselves(hub):
    assert "AuditEvent" not in {each.partition("/")[0] for each in hub.ids("")}
    assert hub.get("?_type=AuditEvent&_count=1").json()["entry"][0]["resource"]["resourceType"] == (
        "AuditEvent"
    )


def test_a_search_of_a_type_takes_its_own_name_as_type(hub):
    assert hub.ids("Patient?_type=Patient") == ["Patient/a", "Patient/b"]
    assert hub.get("Patient?_type=Group").status_code == 400


def test_elements_are_cut_from_each_type(hub):
    entries = hub.get("?_type=Patient,Observation&_elements=id&_id=a,o1").json()["entry"]

    assert [sorted(e["resource"]) for e in entries] == [
        ["id", "meta", "resourceType"],
        ["code", "id", "meta", "resourceType", "status"],
    ]


@pytest.mark.parametrize("sort", ["_id", "-_id", "_lastUpdated", "-_lastUpdated", "_id,code"])
def test_equal_ids_of_several_types_page_without_loss(hub, sort):
    for id in ("same", "alike"):
        hub.put_in(observation(id, "a", "2026-01-01"), condition(id, "a", "2026-01-01"))
    path = f"?_type=Observation,Condition&_id=same,alike&_sort={sort}&_count="

    assert flat(hub, path + "1") == flat(hub, path + "3") == flat(hub, path + "9")
    assert len(flat(hub, path + "1")) == 4


def test_elements_may_be_those_of_one_type(hub):
    path = "?_type=Patient,Organization&_elements=Patient.name,Organization.active&_id=a,h"
    entries = hub.get(path).json()["entry"]

    assert [sorted(e["resource"]) for e in entries] == [
        ["id", "meta", "name", "resourceType"],
        ["id", "meta", "resourceType"],
    ]
    assert hub.get("?_type=Patient,Organization&_elements=Group.name").status_code == 400


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "_search"), ("POST", "_search")])
def test_all_types_are_searched_inside_a_batch(hub, method, path):
    entry = {"request": {"method": method, "url": f"{path}?_type=Patient,Organization"}}
    answer = hub.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})

    found = answer.json()["entry"][0]["resource"]["entry"]
    assert [e["resource"]["id"] for e in found] == ["a", "b", "h"]
