"""Quantities: a value with a UCUM or calendar unit, in the shape of a FHIR Quantity.

https://hl7.org/fhirpath/N1/#quantity, https://hl7.org/fhir/R4/fhirpath.html#quantity
"""

from decimal import Decimal
from typing import Any, NamedTuple

from conformance.fhirpath.nodes import NUMBERS, Node, kind

UCUM = "http://unitsofmeasure.org"

# Calendar words that a UCUM unit equals exactly; a year or month is only about as long as its own.
EXACT = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
ABOUT = {"year": "a", "month": "mo"}
CALENDAR = {ucum: word for word, ucum in (EXACT | ABOUT).items()}

# Seconds in the units of time that differ by a factor only.
_SECONDS = {
    "wk": Decimal(604800),
    "d": Decimal(86400),
    "h": Decimal(3600),
    "min": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}


class Quantity(NamedTuple):
    """`unit` is a UCUM code, or `year` or `month` for the calendar's own."""

    value: Decimal
    unit: str


def quantity_of(node: Node) -> Quantity | None:
    """A node as a quantity; a number has the unit 1; None where it is none or has no value."""
    value = node[1]
    if kind(node) in NUMBERS and isinstance(value, int | Decimal):
        return Quantity(Decimal(value), "1")
    if kind(node) != "Quantity" or not isinstance(value, dict):
        return None
    amount = value.get("value")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None
    code = value.get("code") or value.get("unit") or value.get("currency") or "1"
    return Quantity(Decimal(amount), EXACT.get(code, code))


def quantity(value: Decimal, unit: str) -> Node:
    """A System.Quantity node; `unit` as in a literal: a calendar word or a UCUM code."""
    found: dict[str, Any] = {"value": value, "unit": unit}
    if unit not in EXACT and unit not in ABOUT:
        found |= {"system": UCUM, "code": unit}
    return ("System.Quantity", found, None)


def literal_unit(unit: str) -> str:
    """The unit of a literal: `'mg'` is UCUM, `day` a calendar word."""
    return unit[1:-1] if unit.startswith("'") else unit


def same_scale(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal] | None:
    """Both values in one unit; None where the units cannot be compared."""
    if left.unit == right.unit:
        return left.value, right.value
    if left.unit in _SECONDS and right.unit in _SECONDS:
        return left.value * _SECONDS[left.unit], right.value * _SECONDS[right.unit]
    return None


def about(found: Quantity) -> Quantity:
    """The quantity with calendar years and months taken for UCUM's."""
    return found._replace(unit=ABOUT.get(found.unit, found.unit))
