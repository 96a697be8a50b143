"""Quantities: a value with a UCUM or calendar unit, in the shape of a FHIR Quantity.

https://hl7.org/fhirpath/N1/#quantity, https://hl7.org/fhir/R4/fhirpath.html#quantity

1. A literal `1 'a'` is of UCUM; `1 year` and a FHIR Quantity of UCUM `a` are of the calendar.
2. Weeks and all below are the same in both; a year or month is comparable with the calendar's only:
   12 months or 365 days are a year, 30 days a month.
3. A FHIR Quantity without a UCUM code has a unit of its own, equal only to itself.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from conformance.fhirpath.nodes import NUMBERS, Node, kind
from terminology import ucum

UCUM = "http://unitsofmeasure.org"

# Calendar words that a UCUM unit equals exactly; a year or month is only about as long as its own.
EXACT = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
ABOUT = {"year": "a", "month": "mo"}
CALENDAR = {ucum: word for word, ucum in (EXACT | ABOUT).items()}
DAYS = {"year": Decimal(365), "month": Decimal(30)}


class Quantity(NamedTuple):
    """`unit` is a UCUM code, `year` or `month` of the calendar, or else what a resource says."""

    value: Decimal
    unit: str
    is_ucum: bool = True


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
    unit, is_ucum = _of_system(value) if node[0] == "System.Quantity" else _of_fhir(value)
    return Quantity(Decimal(amount), unit, is_ucum)


def _of_system(value: dict[str, Any]) -> tuple[str, bool]:
    unit = value.get("code") or value["unit"]
    return EXACT.get(unit, unit), unit not in ABOUT


def _of_fhir(value: dict[str, Any]) -> tuple[str, bool]:
    code, system = value.get("code"), value.get("system")
    if system == UCUM and isinstance(code, str):
        word = CALENDAR.get(code, "")
        return (word, False) if word in ABOUT else (code, True)
    if code or system:
        return f"{system}|{code}", False
    unit = value.get("unit") or value.get("currency")
    return (f"|{unit}", False) if unit else ("1", True)


def quantity(value: Decimal, unit: str) -> Node:
    """A System.Quantity node; `unit` as in a literal: a calendar word or a UCUM code."""
    found: dict[str, Any] = {"value": value, "unit": unit}
    if unit not in EXACT and unit not in ABOUT:
        found |= {"system": UCUM, "code": unit}
    return ("System.Quantity", found, None)


def literal_unit(unit: str) -> str:
    """The unit of a literal: `'mg'` is UCUM, `day` a calendar word."""
    return unit[1:-1] if unit.startswith("'") else unit


def code_of(found: Quantity) -> str:
    """The UCUM code nearest to a unit; of the calendar's year and month, UCUM's own."""
    return ABOUT.get(found.unit, found.unit)


def same_unit(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal, str] | None:
    """Both values in the more granular of both units, and that unit; None where there is none."""
    if left.unit == right.unit:
        return left.value, right.value, left.unit
    if left.is_ucum and right.is_ucum:
        return _same_measure(left, right)
    if left.unit in DAYS:
        return _of_calendar(left, right)
    if right.unit in DAYS and (found := _of_calendar(right, left)):
        return found[1], found[0], found[2]
    return None


def _same_measure(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal, str] | None:
    try:
        finer = right.unit if _is_finer(right.unit, left.unit) else left.unit
        one = ucum.convert(left.value, left.unit, finer)
        other = ucum.convert(right.value, right.unit, finer)
    except ucum.UcumError:
        return None
    return None if one is None or other is None else (one, other, finer)


def _is_finer(unit: str, other: str) -> bool:
    return ucum.measure(unit).factor < ucum.measure(other).factor


def _of_calendar(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal, str] | None:
    """As `same_unit`, where the left one is of the calendar's years or months."""
    if right.unit in DAYS:
        years, months = (left, right) if left.unit == "year" else (right, left)
        counted = (years.value * 12, months.value)
        one, other = counted if left is years else counted[::-1]
        return one, other, "month"
    if right.unit not in EXACT.values():
        return None
    in_days = Quantity(left.value * DAYS[left.unit], "d")
    return same_unit(in_days, right)


def same_scale(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal] | None:
    """Both values in one unit; None where the units cannot be compared."""
    found = same_unit(left, right)
    return None if found is None else found[:2]


def about(found: Quantity) -> Quantity:
    """The quantity with calendar years and months taken for UCUM's."""
    is_ucum = found.is_ucum or found.unit in ABOUT
    return Quantity(found.value, code_of(found), is_ucum)


def in_unit(found: Quantity, unit: str) -> Node | None:
    """A quantity in another unit, UCUM's or the calendar's; None where there is no way to it."""
    if found.unit == EXACT.get(unit, unit):
        return quantity(found.value, unit)
    one = Quantity(Decimal(1), EXACT.get(unit, unit), unit not in ABOUT)
    scaled = same_scale(found, one)
    if scaled is None or not scaled[1]:
        return None
    # From the unit itself, where it is UCUM's: an offset scale has no factor.
    if found.is_ucum and one.is_ucum:
        converted = ucum.convert(found.value, found.unit, one.unit)
        return None if converted is None else quantity(converted, unit)
    return quantity(scaled[0] / scaled[1], unit)
