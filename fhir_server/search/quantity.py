"""Quantity parameters: a number, and perhaps its unit by system and code, or by either name.

https://hl7.org/fhir/R4/search.html#quantity

1. The third column is system, code and unit, each followed by U+001F, so that `prefix` finds a
   system with its code and `contains` finds a unit by its code or by its human name.
2. `PARAM:canonical` holds the same in the base units of UCUM, with their product as third column:
   what is written in units of UCUM is compared there, and all that a record has is sorted there.
   What is in no such unit stands there as it is written.
3. Of SampledData the bounds of its values count.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from fhir_server.model import Entry
from fhir_server.search import number
from fhir_server.search.alternatives import Alternatives, Conds, cond, prefixed
from fhir_server.search.escape import split, unescape
from terminology.ucum.scale import scale

EXPECTED = (
    "number, number|system|code or number||unit, perhaps after one of eq ne gt lt ge le sa eb ap"
)
CANONICAL = ":canonical"
CURRENCY = "urn:iso:std:iso:4217"
UCUM = "http://unitsofmeasure.org"
_END = "\x1f"
_NUMBERS = (int, float, Decimal)


class Said(NamedTuple):
    """What a Quantity says, or a Money."""

    value: int | float | Decimal
    comparator: str
    system: str
    code: str
    unit: str


Bounded = tuple[float, float, str]
"""The lowest and the highest value, and the unit."""


def is_counted(entry: Entry) -> bool:
    """Tell whether an entry is in base units."""
    return entry.param.endswith(CANONICAL) and not entry.u.endswith(_END)


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield bounds and unit of a Quantity of any kind, a Money, a Range or a SampledData, as it is
    written and in base units."""
    said = _said(value)
    found = _told(said) if said is not None else _told_of_ends(value)
    if found is not None:
        written, counted = found
        yield Entry(param, *written)
        yield Entry(param + CANONICAL, *counted)


def _said(value: Any) -> Said | None:
    # Read for each quantity of each write: plain looks cost half of what a pattern does.
    if not isinstance(value, dict):
        return None
    amount: int | float | Decimal | None = value.get("value")
    if not isinstance(amount, _NUMBERS):
        return None
    if currency := _text(value.get("currency")):
        return Said(amount, "", CURRENCY, currency, currency)
    words = [_text(value.get(name)) for name in ("comparator", "system", "code", "unit")]
    return Said(amount, *words)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _told(said: Said) -> tuple[Bounded, Bounded]:
    """Return what a quantity is as it is written and in base units.

    It is remembered: several parameters read the same quantity, and many resources say the same.
    """
    unit = f"{said.system}{_END}{said.code}{_END}{said.unit}{_END}"
    written = (*_bounds(said, said.value), unit)
    by = scale(said.code) if said.system == UCUM else None
    if by is None:
        return written, written
    try:
        return written, (*_bounds(said, by.counted(Decimal(said.value))), by.unit)
    except ArithmeticError:  # beyond what decimals hold
        return written, written


def _bounds(said: Said, value: int | float | Decimal) -> tuple[float, float]:
    found = number.bounds({"value": value, "comparator": said.comparator})
    assert found is not None
    return found


def _told_of_ends(value: Any) -> tuple[Bounded, Bounded] | None:
    """As `_told`, of a Range or a SampledData: in base units if all its ends are in one of them."""
    found = number.bounds(value)
    if found is None or not isinstance(value, dict):
        return None
    if "origin" in value:
        origin = _said(value["origin"])
        return None if origin is None else _sampled(found, origin)
    ends = [said and _told(said) for said in map(_said, (value.get("low"), value.get("high")))]
    written = (*found, next(each[0][2] for each in ends if each))
    units = {each[1][2] for each in ends if each}
    if len(units) > 1:
        return written, written
    low, high = ends
    return written, (
        low[1][0] if low else number.LOWEST,
        high[1][1] if high else number.HIGHEST,
        units.pop(),
    )


def _sampled(found: tuple[float, float], origin: Said) -> tuple[Bounded, Bounded]:
    unit = _told(origin)[0][2]
    by = scale(origin.code) if origin.system == UCUM else None
    if by is None:
        return (*found, unit), (*found, unit)
    low, high = (
        each if abs(each) == number.HIGHEST else float(by.counted(Decimal(each))) for each in found
    )
    return (*found, unit), (low, high, by.unit)


def alternatives(text: str) -> tuple[str, Alternatives]:
    """Return what a quantity text demands of an entry, and of which: `''` or `CANONICAL`.

    Raises ValueError with the form expected.
    """
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in (1, 3):
        raise ValueError(EXPECTED)
    prefix, bare = prefixed(parts[0])
    by = scale(parts[2]) if len(parts) == 3 and parts[1] == UCUM else None
    try:
        exact = Decimal(number.checked(bare))
        if by is not None:
            unit = cond("u", "=", by.unit)
            return CANONICAL, tuple(
                each + unit for each in number.compared(prefix, exact, by.counted)
            )
        compared = number.compared(prefix, exact)
    except (ValueError, ArithmeticError):
        raise ValueError(EXPECTED) from None
    unit = _unit_conds(*parts[1:]) if len(parts) == 3 else ()
    return "", tuple(conds + unit for conds in compared)


def _unit_conds(system: str, code: str) -> Conds:
    if system:
        return cond("u", "prefix", system + _END + (code + _END if code else ""))
    return cond("u", "contains", _END + code + _END) if code else ()
