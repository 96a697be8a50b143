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
from typing import Any

from fhir_server.model import Entry
from fhir_server.search import number
from fhir_server.search.alternatives import Alternatives, Conds, cond, prefixed
from fhir_server.search.escape import split, unescape
from terminology.ucum.scale import Scale, scale

EXPECTED = (
    "number, number|system|code or number||unit, perhaps after one of eq ne gt lt ge le sa eb ap"
)
CANONICAL = ":canonical"
CURRENCY = "urn:iso:std:iso:4217"
UCUM = "http://unitsofmeasure.org"
_END = "\x1f"


def is_counted(entry: Entry) -> bool:
    """Tell whether an entry is in base units."""
    return entry.param.endswith(CANONICAL) and not entry.u.endswith(_END)


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield bounds and unit of a Quantity of any kind, a Money, a Range or a SampledData, as it is
    written and in base units."""
    found = number.bounds(value)
    if found is not None:
        unit = _unit(value)
        yield Entry(param, *found, unit)
        yield Entry(param + CANONICAL, *(_in_base_units(value) or (*found, unit)))


def _in_base_units(value: dict[str, Any]) -> tuple[float, float, str] | None:
    """Return bounds and unit; None where a part is in no unit that counts in base units."""
    if "origin" in value:
        return _sampled(value)
    if "value" in value:
        counted, unit = _counted(value)
        found = number.bounds(counted)
    else:
        ends = {
            name: _counted(value[name])
            for name in ("low", "high")
            if "value" in value.get(name, ())
        }
        units = {unit for _, unit in ends.values()}
        unit = units.pop() if len(units) == 1 else ""
        found = number.bounds({name: counted for name, (counted, _) in ends.items()})
    return (*found, unit) if found is not None and unit else None


def _sampled(value: dict[str, Any]) -> tuple[float, float, str] | None:
    by, found = _scale(value["origin"]), number.bounds(value)
    if by is None or found is None:
        return None
    low, high = (
        each if abs(each) == number.HIGHEST else float(by.counted(Decimal(each))) for each in found
    )
    return low, high, by.unit


def _scale(quantity: dict[str, Any]) -> Scale | None:
    code = quantity.get("code")
    return scale(code) if quantity.get("system") == UCUM and isinstance(code, str) else None


def _counted(quantity: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return a quantity and its unit in base units; the unit is empty where it has none."""
    by = _scale(quantity)
    if by is None:
        return quantity, ""
    try:
        return quantity | {"value": by.counted(Decimal(quantity["value"]))}, by.unit
    except ArithmeticError:  # beyond what decimals hold
        return quantity, ""


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
