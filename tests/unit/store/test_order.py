"""The order of results."""

from fhir_server.model import Entry, Sort
from fhir_server.store import order


def test_what_is_not_written_gives_no_order():
    entries = [Entry("family", "berg"), Entry("family", "van den berg", "van den Berg")]

    assert order.value(Sort("family"), "x", 0, entries) == "berg"
    assert order.value(Sort("family", written=True), "x", 0, entries) == "van den berg"
    assert order.value(Sort("family", written=True), "x", 0, entries[:1]) is None


def test_lowest_value_counts_ascending_and_highest_descending() -> None:
    entries = (Entry("date", 5), Entry("date", 3), Entry("date", 9, path="#1"))

    assert order.value(Sort("date"), "x", 0, entries) == 3
    assert order.value(Sort("date", True), "x", 0, entries) == 5
    assert order.value(Sort("name"), "x", 0, entries) is None


def test_id_and_time_need_no_entry() -> None:
    assert order.value(Sort("_id"), "x", 7, ()) == "x"
    assert order.value(Sort("_lastUpdated"), "x", 7, ()) == 7


def test_no_value_comes_last_in_both_directions() -> None:
    places = [(None, 1, 1), (5, 1, 2), ("a", 1, 3), (2, 1, 4)]

    up = sorted(places, key=order.place_key((Sort("p"),)))
    down = sorted(places, key=order.place_key((Sort("p", True),)))
    assert [p[0] for p in up] == [2, 5, "a", None]
    assert [p[0] for p in down] == ["a", 5, 2, None]


def test_ties_follow_the_first_direction() -> None:
    places = [(1, 1, 1), (1, 2, 3), (1, 1, 2)]

    assert sorted(places, key=order.place_key((Sort("p", True),))) == [
        (1, 2, 3),
        (1, 1, 2),
        (1, 1, 1),
    ]


def test_patients_stand_under_one_number() -> None:
    assert [order.several(n) for n in ((), (7,), (7, 8))] == [0, 7, -1]
