"""Precision, the boundaries of what a value of limited precision may be, and comparability.

https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time (trial use)

1. 1.587 stands for all from 1.5865 to 1.5875; a boundary is rounded outwards, so that it bounds.
2. A date stands for all its days, a time for all its moments; its precision is counted in digits.
3. A time without an offset may be anywhere: its lower boundary is at +14:00, its upper at -12:00.
"""

import calendar
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from conformance.fhirpath import temporal
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import ANY, Function, with_values
from conformance.fhirpath.nodes import (
    NUMBERS,
    Node,
    Nodes,
    boolean,
    integer,
    integer_of,
    kind,
    number,
    single,
)
from conformance.fhirpath.quantity import quantity_of, same_scale
from conformance.fhirpath.temporal import Temporal

MOST_DIGITS = 28
_EXACT = Context(prec=100)

# Digits of a precision -> the fields it has; 17 and 9 have milliseconds.
DIGITS = {
    "Date": {4: 1, 6: 2, 8: 3},
    "DateTime": {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 6},
    "Time": {2: 1, 4: 2, 6: 3, 9: 3},
}
FINEST = {"Date": 8, "DateTime": 17, "Time": 9}
EARLIEST_ZONE, LATEST_ZONE = 14 * 60, -12 * 60


def boundary(name: str, *, is_low: bool) -> Function:
    """`lowBoundary(digits)` or `highBoundary(digits)`."""

    def operate(nodes: Nodes, digits: Nodes | None = None) -> Nodes:
        node = single(nodes, name)
        if node is None or node[1] is None:
            return []
        wanted = None if digits is None else integer_of(digits, name)
        found = _boundary(node, wanted, is_low=is_low, name=name)
        return [] if found is None else [found]

    return with_values(operate, ANY, 0, 1)


def _boundary(node: Node, digits: int | None, *, is_low: bool, name: str) -> Node | None:
    of = kind(node)
    if of in NUMBERS:
        found = of_number(Decimal(node[1]), 8 if digits is None else digits, is_low=is_low)
        return None if found is None else number(found)
    if of == "Quantity" and (amount := quantity_of(node)):
        found = of_number(amount.value, 8 if digits is None else digits, is_low=is_low)
        return None if found is None else (node[0], node[1] | {"value": found}, None)
    moment = temporal.parse(node[1]) if of in DIGITS else None
    if moment is None:
        raise FHIRPathError(f"{name}: not defined for {node[0]}")
    text = of_temporal(moment, of, FINEST[of] if digits is None else digits, is_low=is_low)
    return None if text is None else (node[0], text, None)


def of_number(value: Decimal, digits: int, *, is_low: bool) -> Decimal | None:
    """The boundary of a decimal with so many digits after the point; None for too many.

    >>> of_number(Decimal("1.587"), 2, is_low=False)
    Decimal('1.59')
    """
    if not 0 <= digits <= MOST_DIGITS:
        return None
    half = Decimal("0.5").scaleb(min(int(value.as_tuple().exponent), 0))
    bound = _EXACT.subtract(value, half) if is_low else _EXACT.add(value, half)
    rounding = ROUND_FLOOR if is_low else ROUND_CEILING
    return bound.quantize(Decimal(1).scaleb(-digits), rounding, _EXACT)


def of_temporal(moment: Temporal, of: str, digits: int, *, is_low: bool) -> str | None:
    """The boundary of a date or time of so many digits; None for a number that none has.

    >>> of_temporal(temporal.parse("2012-02"), "Date", 8, is_low=False)
    '2012-02-29'
    """
    count = DIGITS[of].get(digits)
    if count is None:
        return None
    fields = list(moment.fields[:count])
    while len(fields) < count:
        fields.append(_next_field(fields, is_time=moment.is_time, is_low=is_low))
    has_time = moment.is_time or count > 3
    if len(fields) == DIGITS[of][FINEST[of]] and has_time:
        given = moment.fields[count - 1] if len(moment.fields) >= count else None
        fields[-1] = _seconds(fields[-1], given, digits == FINEST[of], is_low=is_low)
    zone = moment.zone if has_time else None
    if of == "DateTime" and has_time and zone is None:
        zone = EARLIEST_ZONE if is_low else LATEST_ZONE
    return temporal.render(Temporal(moment.is_time, tuple(fields), zone))


def _next_field(fields: list[int | Decimal], *, is_time: bool, is_low: bool) -> int:
    """The least or greatest value of the field after those given."""
    place = len(fields) + (3 if is_time else 0)
    if is_low:
        return 1 if place < 3 else 0
    if place == 2:
        return calendar.monthrange(int(fields[0]), int(fields[1]))[1]
    return {1: 12, 3: 23}.get(place, 59)


def _seconds(
    filled: int | Decimal, given: int | Decimal | None, has_fraction: bool, *, is_low: bool
) -> Decimal:
    """Seconds with milliseconds, or whole; what digits of a fraction are not given are filled."""
    whole = Decimal(int(filled))
    if not has_fraction:
        return whole
    known = f"{given:f}".partition(".")[2] if isinstance(given, Decimal) else ""
    fraction = (known[:3] + ("000" if is_low else "999"))[:3]
    return whole + Decimal(int(fraction)).scaleb(-3)


def precision(nodes: Nodes) -> Nodes:
    """`precision()`: digits after the point of a number, all digits of a date or time."""
    node = single(nodes, "precision")
    if node is None or node[1] is None:
        return []
    of, value = kind(node), node[1]
    if of in NUMBERS:
        return [integer(max(0, -int(Decimal(value).as_tuple().exponent)))]
    moment = temporal.parse(value) if of in DIGITS else None
    if moment is None:
        raise FHIRPathError(f"precision: not defined for {node[0]}")
    return [integer(sum(map(str.isdigit, temporal.render(moment._replace(zone=None)))))]


def comparable(nodes: Nodes, other: Nodes) -> Nodes:
    """`comparable(quantity)`: whether two quantities have units that can be compared."""
    if len(nodes) != 1 or len(other) != 1:
        return []
    one, two = quantity_of(nodes[0]), quantity_of(other[0])
    if one is None or two is None:
        return []
    return boolean(same_scale(one, two) is not None)


FUNCTIONS: dict[str, Function] = {
    "lowBoundary": boundary("lowBoundary", is_low=True),
    "highBoundary": boundary("highBoundary", is_low=False),
    "precision": with_values(precision, "System.Integer", 0),
    "comparable": with_values(comparable, "System.Boolean", 1),
}
