"""FHIRPath operators, as makers of closures over the closures of their operands.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from conformance.fhirpath import temporal
from conformance.fhirpath.equality import contains, distinct, equal, equivalent, order
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import (
    NUMBERS,
    TEMPORALS,
    Environment,
    Evaluator,
    Node,
    Nodes,
    boolean,
    kind,
    number,
    number_of,
    single,
    string,
    text_of,
    truth,
)
from conformance.fhirpath.quantity import ABOUT, CALENDAR, quantity, quantity_of

Maker = Callable[[Evaluator, Evaluator], Evaluator]
Number = int | Decimal


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


def add(left: Nodes, right: Nodes) -> Nodes:
    """`+` on numbers, strings, quantities, and dates with a duration."""
    one, other = single(left, "+"), single(right, "+")
    if one is None or other is None:
        return []
    kinds = (kind(one), kind(other))
    if kinds == ("String", "String"):
        return [string(one[1] + other[1])]
    if kinds[0] in TEMPORALS and kinds[1] == "Quantity":
        return [shifted(one, other, 1)]
    return _arithmetic(one, other, "+", lambda a, b: a + b)


def subtract(left: Nodes, right: Nodes) -> Nodes:
    """`-` on numbers, quantities, and dates with a duration."""
    one, other = single(left, "-"), single(right, "-")
    if one is None or other is None:
        return []
    if kind(one) in TEMPORALS and kind(other) == "Quantity":
        return [shifted(one, other, -1)]
    return _arithmetic(one, other, "-", lambda a, b: a - b)


def _arithmetic(one: Node, other: Node, operator: str, compute: Callable[[Any, Any], Any]) -> Nodes:
    kinds = (kind(one), kind(other))
    if kinds[0] in NUMBERS and kinds[1] in NUMBERS:
        return [number(compute(one[1], other[1]))]
    first, second = quantity_of(one), quantity_of(other)
    if kinds == ("Quantity", "Quantity") and first and second:
        if first.unit != second.unit:
            return []
        return [quantity(compute(first.value, second.value), first.unit)]
    raise FHIRPathError(f"{operator}: not defined for {one[0]} and {other[0]}")


def shifted(moment: Node, duration: Node, sign: int) -> Node:
    """A date, time or instant plus or minus a duration in a calendar unit or an exact UCUM one."""
    start, amount = temporal.parse(moment[1]), quantity_of(duration)
    if start is None or amount is None:
        raise FHIRPathError(f"cannot add {duration[1]} to {moment[1]}")
    word = amount.unit if amount.unit in ABOUT else CALENDAR.get(amount.unit, "")
    is_calendar = "system" not in duration[1]
    if not word or (amount.unit in ABOUT.values() and not is_calendar):
        raise FHIRPathError(f"cannot add {amount.unit!r}: not a unit of the calendar")
    found = temporal.render(temporal.shift(start, amount.value * sign, word))
    return (moment[0], found, None)


def multiply(left: Nodes, right: Nodes) -> Nodes:
    """`*` on numbers, and on a quantity with a number."""
    one, other = single(left, "*"), single(right, "*")
    if one is None or other is None:
        return []
    if kind(one) in NUMBERS and kind(other) in NUMBERS:
        return [number(one[1] * other[1])]
    first, second = quantity_of(one), quantity_of(other)
    if first is None or second is None:
        raise FHIRPathError(f"*: not defined for {one[0]} and {other[0]}")
    if "1" not in (first.unit, second.unit):
        raise FHIRPathError(f"*: {first.unit} by {second.unit} is not supported")
    unit = second.unit if first.unit == "1" else first.unit
    return [quantity(first.value * second.value, unit)]


def divide(left: Nodes, right: Nodes) -> Nodes:
    """`/`: a decimal, or a quantity; empty for a division by zero."""
    one, other = single(left, "/"), single(right, "/")
    if one is None or other is None:
        return []
    first, second = quantity_of(one), quantity_of(other)
    if first is None or second is None:
        raise FHIRPathError(f"/: not defined for {one[0]} and {other[0]}")
    if second.value == 0:
        return []
    value = first.value / second.value
    if kind(one) in NUMBERS and kind(other) in NUMBERS:
        return [number(value)]
    if second.unit not in ("1", first.unit):
        raise FHIRPathError(f"/: {first.unit} by {second.unit} is not supported")
    return [quantity(value, "1" if second.unit == first.unit else first.unit)]


def whole(operator: str, compute: Callable[[Any, Any], Any]) -> Maker:
    """`div` and `mod`: truncated, not floored; empty for a division by zero."""

    def operate(left: Nodes, right: Nodes) -> Nodes:
        one, other = number_of(left, operator), number_of(right, operator)
        if one is None or other is None or other == 0:
            return []
        both = isinstance(one, int) and isinstance(other, int)
        try:
            found = compute(Decimal(one), Decimal(other))
        except DecimalException as error:
            raise FHIRPathError(f"{operator}: {one} and {other} are too far apart") from error
        return [number(int(found) if both or operator == "div" else found)]

    return on_nodes(operate)


def negate(nodes: Nodes) -> Nodes:
    """`-` before a number or quantity."""
    node = single(nodes, "-")
    if node is None:
        return []
    if kind(node) == "Quantity":
        found = quantity_of(node)
        return (
            [] if found is None else [("System.Quantity", node[1] | {"value": -found.value}, None)]
        )
    found_number = number_of(nodes, "-")
    return [] if found_number is None else [number(-found_number)]


def plus(nodes: Nodes) -> Nodes:
    """`+` before a number or quantity: itself."""
    node = single(nodes, "+")
    if node is not None and kind(node) not in (*NUMBERS, "Quantity"):
        raise FHIRPathError(f"+: not defined for {node[0]}")
    return nodes


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
    "+": on_nodes(add),
    "-": on_nodes(subtract),
    "*": on_nodes(multiply),
    "/": on_nodes(divide),
    "div": whole("div", lambda a, b: a // b),
    "mod": whole("mod", lambda a, b: a % b),
}

BOOLEAN_RESULT = frozenset(OPERATORS) - {"|", "&", "+", "-", "*", "/", "div", "mod"}
