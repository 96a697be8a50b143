"""Simplified predicates mean the same."""

from hypothesis import given

from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.simplify import simplified
from fhir_server.search.tree import Cond, Ids, Match, Node, Or
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


def test_two_conditions_on_one_value_stay() -> None:
    between = Match("date", (Cond("v", ">", 1), Cond("v", "=", 2)))

    assert simplified(Or((between, _is("x")))) == Or((_is("x"), between))


@given(worlds.worlds, worlds.trees)
def test_it_holds_for_the_same_records(world: list[worlds.Write], node: Node) -> None:
    living = {w.key: Plain(w.key, 0, w.entries, w.patients) for w in world if w.body is not None}
    everything = Plainly(living.values())
    plain = simplified(node)

    for record in living.values():
        expected = evaluate(node, record, everything, NOW)
        assert evaluate(plain, record, everything, NOW) == expected
