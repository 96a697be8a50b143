"""Links between the pages of a search. https://hl7.org/fhir/R4/http.html#paging"""

import pytest


def observation(id, day):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "x"},
        "effectiveDateTime": f"2026-01-0{day}" if day else None,
    }


def made(id, day):
    return {name: value for name, value in observation(id, day).items() if value is not None}


@pytest.fixture(autouse=True)
def filled(hub):
    days = {"a": 3, "b": 1, "c": 0, "d": 2, "e": 0, "f": 1, "g": 2}
    hub.put_in(*(made(id, day) for id, day in days.items()))
    hub.put_in({"resourceType": "Patient", "id": "p"}, {"resourceType": "Patient", "id": "q"})


def page(hub, path):
    """Return the ids on a page and its links."""
    answer = hub.get(path).json()
    links = {each["relation"]: each["url"] for each in answer["link"]}
    return "".join(e["resource"]["id"] for e in answer.get("entry", ())), links


def walked(hub, path, relation):
    """Return the ids of a page and of all to which a relation leads."""
    found = []
    while path and len(found) < 20:
        ids, links = page(hub, path)
        found.append(ids)
        path = links.get(relation)
    return found


ORDERS = {
    "Observation?_count=3": ["abc", "def", "g"],
    "Observation?_count=3&_sort=date": ["bfd", "gac", "e"],
    "Observation?_count=3&_sort=-date": ["agd", "fbe", "c"],
    "Observation?_count=3&_sort=-_lastUpdated": ["gfe", "dcb", "a"],
    "Observation?_count=3&_sort=-date,_id": ["adg", "bfc", "e"],
    "?_type=Patient,Observation&_count=4": ["pqab", "cdef", "g"],
    "?_type=Patient,Observation&_count=4&_sort=-_id": ["qpgf", "edcb", "a"],
}


@pytest.mark.parametrize("path", ORDERS)
def test_pages_lead_to_the_end_and_back(hub, path):
    pages = walked(hub, path, "next")
    assert pages == ORDERS[path]

    last = path
    while "next" in (links := page(hub, last)[1]):
        last = links["next"]
    assert walked(hub, last, "previous") == list(reversed(pages))


@pytest.mark.parametrize("path", ORDERS)
def test_the_last_pages_lead_back_to_the_first(hub, path):
    last = page(hub, path)[1]["last"]

    assert "".join(reversed(walked(hub, last, "previous"))) == "".join(ORDERS[path])
    assert "next" not in page(hub, last)[1]


def test_the_first_page_is_always_led_to(hub):
    first, links = page(hub, "Observation?_count=3")
    _, second = page(hub, links["next"])

    assert links["first"] == second["first"] == "http://hub.test/fhir/Observation?_count=3"
    assert page(hub, second["first"])[0] == first


def test_a_single_page_leads_to_no_other(hub):
    assert set(page(hub, "Observation")[1]) == {"self", "first"}
    assert set(page(hub, "Observation?code:text=nothing")[1]) == {"self", "first"}


def test_what_comes_in_between_moves_nothing(hub):
    _, first = page(hub, "Observation?_count=3&_sort=date")
    _, second = page(hub, first["next"])
    hub.put_in(made("z", 1), made("y", 3))
    hub.delete("Observation/d")

    assert page(hub, second["previous"])[0] == "bfz"
    assert page(hub, second["next"])[0] == "e"


@pytest.mark.parametrize("path", ORDERS)
def test_a_page_that_is_empty_by_now_leads_back(hub, path):
    ids, first = page(hub, path)
    for id in set("abcdefg") - set(ids):
        hub.delete(f"Observation/{id}")
    for id in set("pq") - set(ids):
        hub.delete(f"Patient/{id}")
    gone, second = page(hub, first["next"])

    assert (gone, "next" in second) == ("", False)
    assert page(hub, second["previous"])[0] == ids


@pytest.mark.parametrize("path", ORDERS)
def test_a_page_that_is_empty_by_now_leads_on(hub, path):
    ids, first = page(hub, path)
    rest, second = page(hub, first["next"])
    for id in ids:
        hub.delete(f"Patient/{id}" if id in "pq" else f"Observation/{id}")
    gone, before = page(hub, second["previous"])

    assert (gone, "previous" in before) == ("", False)
    assert page(hub, before["next"])[0] == rest


def test_going_back_includes_what_the_page_includes(hub):
    hub.put_in(made("b", 1) | {"subject": {"reference": "Patient/p"}})
    _, links = page(hub, "Observation?_count=3&_sort=_id&_include=Observation:subject")
    _, links = page(hub, links["next"])

    assert page(hub, links["previous"])[0] == "abcp"
