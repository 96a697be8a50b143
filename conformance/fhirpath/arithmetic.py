"""Arithmetic: operators on numbers, strings, quantities, dates and times.

https://hl7.org/fhirpath/N1/#math-1, https://hl7.org/fhirpath/N1/#datetime-arithmetic
"""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from conformance.fhirpath import temporal
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import (
    LEAST,
    MOST,
    NUMBERS,
    TEMPORALS,
    Node,
    Nodes,
    kind,
    number,
    number_of,
    single,
    string,
)
from conformance.fhirpath.quantity import (
    ABOUT,
    CALENDAR,
    code_of,
    quantity,
    quantity_of,
    same_unit,
)
from terminology import ucum

Number = int | Decimal

_OF_DATES = ("year", "month", "week", "day")
_OF_TIMES = ("hour", "minute", "second", "millisecond")
UNITS_OF = {"Date": _OF_DATES, "DateTime": _OF_DATES + _OF_TIMES, "Time": _OF_TIMES}


def add(left: Nodes, right: Nodes) -> Nodes:
    """`+` on numbers, strings, quantities, and dates with a duration."""
    one, other = single(left, "+"), single(right, "+")
    if one is None or other is None:
        return []
    kinds = (kind(one), kind(other))
    if kinds == ("String", "String"):
        return [] if None in (one[1], other[1]) else [string(one[1] + other[1])]
    if kinds[0] in TEMPORALS and kinds[1] == "Quantity":
        return shifted(one, other, 1)
    return _arithmetic(one, other, "+", lambda a, b: a + b)


def subtract(left: Nodes, right: Nodes) -> Nodes:
    """`-` on numbers, quantities, and dates with a duration."""
    one, other = single(left, "-"), single(right, "-")
    if one is None or other is None:
        return []
    if kind(one) in TEMPORALS and kind(other) == "Quantity":
        return shifted(one, other, -1)
    return _arithmetic(one, other, "-", lambda a, b: a - b)


def _arithmetic(one: Node, other: Node, operator: str, compute: Callable[[Any, Any], Any]) -> Nodes:
    kinds = (kind(one), kind(other))
    if None in (one[1], other[1]):
        return []
    if kinds[0] in NUMBERS and kinds[1] in NUMBERS:
        return in_range(lambda: compute(one[1], other[1]))
    first, second = quantity_of(one), quantity_of(other)
    if "Quantity" in kinds and first and second:
        same = same_unit(first, second)
        return [] if same is None else [quantity(compute(same[0], same[1]), same[2])]
    raise FHIRPathError(f"{operator}: not defined for {one[0]} and {other[0]}")


def in_range(compute: Callable[[], Number | None]) -> Nodes:
    """A number as nodes; empty for none, and for an overflow, of 32 bits for an integer."""
    try:
        found = compute()
    except DecimalException:
        return []
    if found is None or (isinstance(found, int) and not LEAST <= found <= MOST):
        return []
    return [number(found)]


def shifted(moment: Node, duration: Node, sign: int) -> Nodes:
    """A date, time or instant plus or minus a duration in a unit of the calendar.

    UCUM's years and months are none; its weeks and all below are the same.
    """
    if moment[1] is None or duration[1].get("value") is None:
        return []
    start, amount = temporal.parse(moment[1]), quantity_of(duration)
    if start is None or amount is None:
        raise FHIRPathError(f"cannot add {duration[1]} to {moment[1]}")
    # Some write the calendar's words as if they were UCUM's: 1 'month'.
    word = amount.unit if amount.unit in ABOUT else CALENDAR.get(amount.unit, "")
    if not word or amount.unit in ABOUT.values():
        raise FHIRPathError(f"cannot add {amount.unit!r}: not a unit of the calendar")
    if word not in UNITS_OF[kind(moment)]:
        raise FHIRPathError(f"cannot add {word} to a {kind(moment)}")
    found = temporal.render(temporal.shift(start, amount.value * sign, word))
    return [(moment[0], found, None)]


def multiply(left: Nodes, right: Nodes) -> Nodes:
    """`*` on numbers and quantities."""
    one, other = single(left, "*"), single(right, "*")
    if one is None or other is None or None in (one[1], other[1]):
        return []
    if kind(one) in NUMBERS and kind(other) in NUMBERS:
        return in_range(lambda: one[1] * other[1])
    return _of_quantities(one, other, "*", ucum.multiply)


def divide(left: Nodes, right: Nodes) -> Nodes:
    """`/`: a decimal, or a quantity; empty for a division by zero."""
    one, other = single(left, "/"), single(right, "/")
    if one is None or other is None or None in (one[1], other[1]):
        return []
    if kind(one) in NUMBERS and kind(other) in NUMBERS:
        return [] if other[1] == 0 else in_range(lambda: Decimal(one[1]) / Decimal(other[1]))
    return _of_quantities(one, other, "/", ucum.divide)


def _of_quantities(
    one: Node,
    other: Node,
    operator: str,
    compute: Callable[[Decimal, str, Decimal, str], tuple[Decimal, str]],
) -> Nodes:
    """A product or quotient; empty where a unit is not of UCUM, and for a division by zero."""
    first, second = quantity_of(one), quantity_of(other)
    if first is None or second is None:
        raise FHIRPathError(f"{operator}: not defined for {one[0]} and {other[0]}")
    try:
        found = compute(first.value, code_of(first), second.value, code_of(second))
    except (ucum.UcumError, DecimalException):
        return []
    # A calendar's duration times a number is still one of the calendar.
    words = {code_of(each): each.unit for each in (first, second) if each.unit in ABOUT}
    return [quantity(found[0], words.get(found[1], found[1]))]


def whole(operator: str, compute: Callable[[Any, Any], Any]) -> Callable[[Nodes, Nodes], Nodes]:
    """`div` and `mod`: truncated, not floored; empty for a division by zero."""

    def operate(left: Nodes, right: Nodes) -> Nodes:
        one, other = number_of(left, operator), number_of(right, operator)
        if one is None or other is None or other == 0:
            return []
        both = isinstance(one, int) and isinstance(other, int)
        try:
            found = compute(Decimal(one), Decimal(other))
        except DecimalException:
            return []
        return in_range(lambda: int(found) if both or operator == "div" else found)

    return operate


def negate(nodes: Nodes) -> Nodes:
    """`-` before a number or quantity."""
    node = single(nodes, "-")
    if node is None:
        return []
    if kind(node) == "Quantity":
        found = quantity_of(node)
        return [] if found is None else [(node[0], node[1] | {"value": -found.value}, None)]
    found_number = number_of(nodes, "-")
    return [] if found_number is None else [number(-found_number)]


def plus(nodes: Nodes) -> Nodes:
    """`+` before a number or quantity: itself."""
    node = single(nodes, "+")
    if node is not None and kind(node) not in (*NUMBERS, "Quantity"):
        raise FHIRPathError(f"+: not defined for {node[0]}")
    return nodes
