"""Quantity parameters: a number, and perhaps its unit by system and code, or by either name.

https://hl7.org/fhir/R4/search.html#quantity

The third column is system, code and unit, each followed by U+001F, so that `prefix` finds a system
with its code and `contains` finds a unit by its code or by its human name.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_server.model import Entry
from fhir_server.search import number
from fhir_server.search.alternatives import Alternatives, Conds, cond, prefixed
from fhir_server.search.escape import split, unescape

EXPECTED = (
    "number, number|system|code or number||unit, perhaps after one of eq ne gt lt ge le sa eb ap"
)
CURRENCY = "urn:iso:std:iso:4217"
_END = "\x1f"


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield bounds and unit of a Quantity of any kind, a Money or a Range."""
    found = number.bounds(value)
    if found is not None:
        yield Entry(param, *found, _unit(value))


def _unit(value: Any) -> str:
    match value:
        case {"currency": str() as currency}:
            return _joined(CURRENCY, currency, currency)
        case {"origin": dict() as origin}:
            return _unit(origin)
        case {"low": dict() as bound} | {"high": dict() as bound}:
            return _unit(bound)
    return _joined(value.get("system"), value.get("code"), value.get("unit"))


def _joined(*parts: Any) -> str:
    return "".join((part if isinstance(part, str) else "") + _END for part in parts)


def alternatives(text: str) -> Alternatives:
    """Return what a quantity text demands of an entry; raises ValueError with the form expected."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in (1, 3):
        raise ValueError(EXPECTED)
    prefix, bare = prefixed(parts[0])
    try:
        compared = number.compared(prefix, Decimal(number.checked(bare)))
    except ValueError:
        raise ValueError(EXPECTED) from None
    unit = _unit_conds(*parts[1:]) if len(parts) == 3 else ()
    return tuple(conds + unit for conds in compared)


def _unit_conds(system: str, code: str) -> Conds:
    if system:
        return cond("u", "prefix", system + _END + (code + _END if code else ""))
    return cond("u", "contains", _END + code + _END) if code else ()
