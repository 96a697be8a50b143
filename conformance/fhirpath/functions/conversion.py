"""Conversion functions: `toX()` and `convertsToX()`. https://hl7.org/fhirpath/N1/#conversion"""

import re
from collections.abc import Callable
from decimal import Decimal

from conformance.fhirpath import temporal
from conformance.fhirpath.functions.table import Function, simple, with_values
from conformance.fhirpath.nodes import (
    LEAST,
    MOST,
    Node,
    Nodes,
    boolean,
    kind,
    number,
    single,
    string,
    text_of,
)
from conformance.fhirpath.parser import CALENDAR_UNITS
from conformance.fhirpath.quantity import ABOUT, Quantity, in_unit, quantity, quantity_of

Convert = Callable[[Node], Node | None]

_BOOLEANS = dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "0", "0.0"), False
)
_DECIMAL_OF = {True: Decimal("1.0"), False: Decimal("0.0")}
_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
_QUANTITY = re.compile(r"(?P<value>[+-]?\d+(?:\.\d+)?)\s*(?:'(?P<code>[^']+)'|(?P<word>[a-z]+))?")


def to_boolean(node: Node) -> Node | None:
    """A boolean, the numbers 1 and 0, or the words that mean them."""
    value = node[1]
    if isinstance(value, bool):
        return boolean(value)[0]
    if isinstance(value, int | Decimal):
        return boolean(value == 1)[0] if value in (0, 1) else None
    found = _BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    return None if found is None else boolean(found)[0]


def to_integer(node: Node) -> Node | None:
    """An integer, a boolean, or a string of digits."""
    value = node[1]
    if isinstance(value, bool | int):
        return number(int(value))
    if isinstance(value, str) and len(value) <= 20 and _INTEGER.fullmatch(value):
        found = int(value)
        return number(found) if LEAST <= found <= MOST else None
    return None


def to_decimal(node: Node) -> Node | None:
    """A number, a boolean, or a string that spells a decimal."""
    value = node[1]
    if isinstance(value, bool):
        return number(_DECIMAL_OF[value])
    if isinstance(value, int | Decimal):
        return number(Decimal(value))
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return number(Decimal(value))
    return None


def to_string(node: Node) -> Node | None:
    """A primitive or quantity as it is written."""
    value = node[1]
    if isinstance(value, bool):
        return string("true" if value else "false")
    if isinstance(value, int | Decimal):
        return string(f"{value:f}" if isinstance(value, Decimal) else str(value))
    if isinstance(value, str):
        return string(value)
    found = quantity_of(node)
    if found is None:
        return None
    return string(f"{found.value:f} {_unit_text(node, found)}")


def _unit_text(node: Node, found: Quantity) -> str:
    """A unit as a literal has it: a calendar word, or a code in quotes."""
    if node[0] == "System.Quantity" and "system" not in node[1]:
        return str(node[1]["unit"])
    if found.unit in ABOUT:
        return found.unit
    return f"'{found.unit.rpartition('|')[2]}'"


def to_quantity(node: Node) -> Node | None:
    """A quantity, a number or boolean of unit 1, or a string such as `4 days` or `1 'wk'`."""
    value = node[1]
    if kind(node) == "Quantity":
        return node
    if isinstance(value, bool):
        return quantity(_DECIMAL_OF[value], "1")
    if isinstance(value, int | Decimal):
        return quantity(Decimal(value), "1")
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    word = found["word"]
    if word and word not in CALENDAR_UNITS:
        return None
    unit = CALENDAR_UNITS[word] if word else found["code"] or "1"
    return quantity(Decimal(found["value"]), unit)


def to_date(node: Node) -> Node | None:
    """A date, the date of a dateTime, or a string that spells a date."""
    found = _temporal(node)
    if found is None or found.is_time or (kind(node) == "String" and len(found.fields) > 3):
        return None
    return (
        "System.Date",
        temporal.render(found._replace(fields=found.fields[:3], zone=None)),
        None,
    )


def to_datetime(node: Node) -> Node | None:
    """A dateTime, or a date, which is one of lesser precision."""
    found = _temporal(node)
    return None if found is None or found.is_time else ("System.DateTime", node[1], None)


def to_time(node: Node) -> Node | None:
    """A time."""
    found = _temporal(node)
    return ("System.Time", node[1].removeprefix("T"), None) if found and found.is_time else None


def _temporal(node: Node) -> temporal.Temporal | None:
    return temporal.parse(node[1]) if isinstance(node[1], str) else None


def _to(name: str, convert: Convert) -> Function:
    def operate(nodes: Nodes) -> Nodes:
        node = single(nodes, f"to{name}")
        found = None if node is None else convert(node)
        return [] if found is None else [found]

    return simple(operate, f"System.{name}")


def _converts_to(name: str, convert: Convert) -> Function:
    def operate(nodes: Nodes) -> Nodes:
        node = single(nodes, f"convertsTo{name}")
        return [] if node is None else boolean(convert(node) is not None)

    return simple(operate, "System.Boolean")


def _as_unit(nodes: Nodes, unit: Nodes, name: str) -> Node | None:
    """What `toQuantity(unit)` gives of one item."""
    node, wanted = single(nodes, name), text_of(unit, name)
    found = None if node is None else to_quantity(node)
    amount = None if found is None else quantity_of(found)
    if amount is None or wanted is None:
        return None
    return in_unit(amount, CALENDAR_UNITS.get(wanted, wanted))


def in_wanted_unit(nodes: Nodes, *unit: Nodes) -> Nodes:
    """`toQuantity(unit)`: in the unit given, where there is a way to it."""
    if not unit:
        node = single(nodes, "toQuantity")
        found = None if node is None else to_quantity(node)
    else:
        found = _as_unit(nodes, unit[0], "toQuantity")
    return [] if found is None else [found]


def converts_to_unit(nodes: Nodes, *unit: Nodes) -> Nodes:
    """`convertsToQuantity(unit)`."""
    return boolean(bool(in_wanted_unit(nodes, *unit))) if nodes else []


CONVERSIONS: dict[str, Convert] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_datetime,
    "Time": to_time,
}

FUNCTIONS: dict[str, Function] = (
    {f"to{name}": _to(name, convert) for name, convert in CONVERSIONS.items()}
    | {f"convertsTo{name}": _converts_to(name, convert) for name, convert in CONVERSIONS.items()}
    | {
        "toQuantity": with_values(in_wanted_unit, "System.Quantity", 0, 1),
        "convertsToQuantity": with_values(converts_to_unit, "System.Boolean", 0, 1),
    }
)
