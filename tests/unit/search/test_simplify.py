"""Simplified predicates mean the same."""

from hypothesis import HealthCheck, given, settings

from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.simplify import simplified
from fhir_server.search.tree import And, Chain, Cond, Has, Ids, Match, Node, Or, Words
from tests.contract import worlds

NOW = 6


def _is(value: str, system: str = "") -> Match:
    return Match("code", (Cond("v", "=", value), *([Cond("w", "=", system)] if system else [])))


def test_values_of_one_system_become_one_list() -> None:
    found = simplified(Or((_is("x", "s"), _is("y", "t"), _is("z", "s"))))

    listed = Match("code", (Cond("v", "in", ("x", "z")), Cond("w", "=", "s")))
    assert found == Or((listed, _is("y", "t")))


def test_a_list_grows_by_what_stands_beside_it() -> None:
    listed = Match("code", (Cond("v", "in", ("x", "y")),))

    assert simplified(Or((listed, _is("z")))) == Match("code", (Cond("v", "in", ("x", "y", "z")),))


def test_lists_of_ids_become_one() -> None:
    found = simplified(Or((Ids(frozenset("a")), Ids(frozenset("b")))))

    assert found == Ids(frozenset("ab"))


def test_joins_by_one_reference_become_one() -> None:
    found = simplified(Or(tuple(Has("List", "item", Ids(frozenset(id))) for id in "ab")))

    assert found == Has("List", "item", Ids(frozenset("ab")))


def test_what_all_joins_demand_is_demanded_once() -> None:
    seen = Match("owner")

    found = simplified(Or(tuple(Chain("subject", "Patient", And((seen, _is(v)))) for v in "xy")))

    either = Match("code", (Cond("v", "in", ("x", "y")),))
    assert found == Chain("subject", "Patient", And((seen, either)))


def test_a_join_that_demands_no_more_than_all_spares_the_others() -> None:
    seen = Match("owner")
    wheres = (seen, And((seen, _is("x"))))

    found = simplified(Or(tuple(Chain("subject", "Patient", where) for where in wheres)))

    assert found == Chain("subject", "Patient", seen)


def test_joins_by_other_references_stay_apart() -> None:
    joins = (Chain("subject", "Patient", _is("x")), Chain("subject", "Group", _is("x")))

    assert simplified(Or(joins)) == Or(joins)


def test_what_stands_twice_stands_once() -> None:
    assert simplified(Or((Words("text", ("a",)), Words("text", ("a",))))) == Words("text", ("a",))


def test_two_conditions_on_one_value_stay() -> None:
    between = Match("date", (Cond("v", ">", 1), Cond("v", "=", 2)))

    assert simplified(Or((between, _is("x")))) == Or((between, _is("x")))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds, worlds.trees)
def test_it_holds_for_the_same_records(world: list[worlds.Write], node: Node) -> None:
    living = {w.key: Plain(w.key, 0, w.entries, w.patients) for w in world if w.body is not None}
    everything = Plainly(living.values())
    plain = simplified(node)

    for record in living.values():
        expected = evaluate(node, record, everything, NOW)
        assert evaluate(plain, record, everything, NOW) == expected
