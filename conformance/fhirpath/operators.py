"""FHIRPath operators, as makers of closures over the closures of their operands.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable

from conformance.fhirpath import arithmetic
from conformance.fhirpath.equality import contains, distinct, equal, equivalent, order
from conformance.fhirpath.nodes import (
    Environment,
    Evaluator,
    Nodes,
    boolean,
    single,
    string,
    text_of,
    truth,
)

Maker = Callable[[Evaluator, Evaluator], Evaluator]


def on_nodes(operate: Callable[[Nodes, Nodes], Nodes]) -> Maker:
    """An operator that always evaluates both sides."""

    def make(left: Evaluator, right: Evaluator) -> Evaluator:
        return lambda env, this: operate(left(env, this), right(env, this))

    return make


def union(left: Nodes, right: Nodes) -> Nodes:
    """`|`: both sides without repetition."""
    if not right:
        return left if len(left) < 2 else distinct(left)
    if not left:
        return right if len(right) < 2 else distinct(right)
    return distinct(left + right)


def compared(operator: str, accept: Callable[[int], bool]) -> Maker:
    """`<` and its kin."""

    def operate(left: Nodes, right: Nodes) -> Nodes:
        found = order(left, right, operator)
        return [] if found is None else boolean(accept(found))

    return on_nodes(operate)


def unequal(left: Nodes, right: Nodes) -> Nodes:
    """`!=`."""
    found = equal(left, right)
    return [] if found is None else boolean(not found)


def within(left: Nodes, right: Nodes, operator: str) -> Nodes:
    """`in`: whether one item is among others."""
    node = single(left, operator)
    return [] if node is None else boolean(contains(right, node))


def conjunction(left: Evaluator, right: Evaluator) -> Evaluator:
    """`and` in three-valued logic."""

    def run(env: Environment, this: Nodes) -> Nodes:
        one = truth(left(env, this), "and")
        if one is False:
            return boolean(False)
        other = truth(right(env, this), "and")
        return boolean(False if other is False else True if one and other else None)

    return run


def disjunction(left: Evaluator, right: Evaluator) -> Evaluator:
    """`or` in three-valued logic."""

    def run(env: Environment, this: Nodes) -> Nodes:
        one = truth(left(env, this), "or")
        if one:
            return boolean(True)
        other = truth(right(env, this), "or")
        return boolean(True if other else False if one is other is False else None)

    return run


def exclusive(left: Nodes, right: Nodes) -> Nodes:
    """`xor` in three-valued logic."""
    one, other = truth(left, "xor"), truth(right, "xor")
    return boolean(None if one is None or other is None else one != other)


def implication(left: Evaluator, right: Evaluator) -> Evaluator:
    """`implies` in three-valued logic."""

    def run(env: Environment, this: Nodes) -> Nodes:
        one = truth(left(env, this), "implies")
        if one is False:
            return boolean(True)
        other = truth(right(env, this), "implies")
        return boolean(True if other else other if one else None)

    return run


def concatenate(left: Nodes, right: Nodes) -> Nodes:
    """`&`: strings, where empty counts as ''."""
    return [string((text_of(left, "&") or "") + (text_of(right, "&") or ""))]


OPERATORS: dict[str, Maker] = {
    "|": on_nodes(union),
    "=": on_nodes(lambda left, right: boolean(equal(left, right))),
    "!=": on_nodes(unequal),
    "~": on_nodes(lambda left, right: boolean(equivalent(left, right))),
    "!~": on_nodes(lambda left, right: boolean(not equivalent(left, right))),
    "<": compared("<", lambda found: found < 0),
    "<=": compared("<=", lambda found: found <= 0),
    ">": compared(">", lambda found: found > 0),
    ">=": compared(">=", lambda found: found >= 0),
    "in": on_nodes(lambda left, right: within(left, right, "in")),
    "contains": on_nodes(lambda left, right: within(right, left, "contains")),
    "and": conjunction,
    "or": disjunction,
    "xor": on_nodes(exclusive),
    "implies": implication,
    "&": on_nodes(concatenate),
    "+": on_nodes(arithmetic.add),
    "-": on_nodes(arithmetic.subtract),
    "*": on_nodes(arithmetic.multiply),
    "/": on_nodes(arithmetic.divide),
    "div": on_nodes(arithmetic.whole("div", lambda a, b: a // b)),
    "mod": on_nodes(arithmetic.whole("mod", lambda a, b: a % b)),
}

BOOLEAN_RESULT = frozenset(OPERATORS) - {"|", "&", "+", "-", "*", "/", "div", "mod"}
