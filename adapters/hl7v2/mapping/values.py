"""OBX-5 to Observation.value[x], with OBX-6 and OBX-7.

https://hl7.org/fhir/R4/observation.html

A value is never refused and never guessed: what is no number stays text. Numbers keep their digits.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.hl7v2.mapping.codes import concept
from adapters.hl7v2.mapping.times import as_date_time, as_time, date_time
from adapters.hl7v2.mapping.units import unit_of
from adapters.hl7v2.message import Element, Segment
from adapters.hl7v2.source import Source

TEXT_TYPES = frozenset({"TX", "FT"})
CODED_TYPES = frozenset({"CE", "CWE", "CNE", "CF"})
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_QUANTITY = re.compile(rf"(<=|>=|<|>|≤|≥)?\s*({_NUMBER})")
_COMPARATORS = {"≤": "<=", "≥": ">=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_BETWEEN = re.compile(rf"({_NUMBER})\s*(?:--|-|~|—+|–|至)\s*({_NUMBER})")
_LIMIT = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")


def value_of(obx: Segment, more: Sequence[Segment], source: Source) -> dict[str, Any]:
    """Return the value[x] of an OBX by its type (OBX-2), with the lines that go on with it."""
    elements = [element for one in (obx, *more) for element in one.elements(5)]
    if not elements:
        return {}
    kind = obx.text(2)
    if kind in CODED_TYPES:
        return _coded(elements, source)
    if len(elements) > 1:
        return {"valueString": "\n".join(_text(element, kind) for element in elements)}
    return _single(elements[0], kind, obx, source)


def quantity(text: str, unit: dict[str, Any]) -> dict[str, Any] | None:
    """Return a Quantity for a number that may have a comparator, None for any other text.

    >>> quantity("＜0.50", {"unit": "ng/mL"})
    {'value': Decimal('0.50'), 'comparator': '<', 'unit': 'ng/mL'}
    """
    found = _QUANTITY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    result: dict[str, Any] = {"value": Decimal(found.group(2))}
    if found.group(1):
        result["comparator"] = _COMPARATORS[found.group(1)]
    return result | unit


def reference_range(obx: Segment, source: Source) -> list[dict[str, Any]]:
    """Return OBX-7 as text, and as limits where it is plainly two numbers or one."""
    text = " ".join(obx.field(7).split()) if not obx.is_null(7) else ""
    if not text:
        return []
    shown = obx.element(7).whole() if obx.separators.repetition not in text else text
    plain = unicodedata.normalize("NFKC", shown).strip()
    unit = unit_of(obx.element(6), source)
    return [{"text": shown} | _limits(plain, unit)]


def _limits(plain: str, unit: dict[str, Any]) -> dict[str, Any]:
    between = _BETWEEN.fullmatch(plain)
    if between:
        low, high = Decimal(between.group(1)), Decimal(between.group(2))
        return {"low": {"value": low} | unit, "high": {"value": high} | unit} if low <= high else {}
    limit = _LIMIT.fullmatch(plain)
    if limit is None:
        return {}
    side = "high" if _COMPARATORS[limit.group(1)][0] == "<" else "low"
    return {side: {"value": Decimal(limit.group(2))} | unit}


def _single(element: Element, kind: str, obx: Segment, source: Source) -> dict[str, Any]:
    match kind:
        case "SN":
            return _structured(element, obx, source)
        case "DT" | "TS" | "DTM":
            return {"valueDateTime": date_time(obx, 5, source)}
        case "DR":
            return _period(element, obx, source)
        case "TM" if time := as_time(element.text()):
            return {"valueTime": time}
        case "NM" | "":
            return _number(element, obx, source)
        case "ST" if obx.text(6):
            return _number(element, obx, source)
        case _:
            return _string(element, kind)


def _period(element: Element, obx: Segment, source: Source) -> dict[str, Any]:
    ends = {"start": element.text(1), "end": element.text(2)}
    told = {end: as_date_time(text, obx, 5, source) for end, text in ends.items() if text}
    return {"valuePeriod": told} if told else {}


def _number(element: Element, obx: Segment, source: Source) -> dict[str, Any]:
    found = quantity(element.whole(), unit_of(obx.element(6), source))
    return {"valueQuantity": found} if found else _string(element, obx.text(2))


def _structured(element: Element, obx: Segment, source: Source) -> dict[str, Any]:
    comparator, first, separator, second = (element.text(n) for n in range(1, 5))
    unit = unit_of(obx.element(6), source)
    one, two = quantity(first, unit), quantity(second, unit)
    if one and not separator and comparator in ("", "=", *_COMPARATORS):
        sign = _COMPARATORS.get(comparator)
        return {"valueQuantity": one | ({"comparator": sign} if sign else {})}
    if one and two and separator in (":", "/") and not comparator:
        return {"valueRatio": {"numerator": one, "denominator": two}}
    if one and two and separator == "-" and not comparator and one["value"] <= two["value"]:
        return {"valueRange": {"low": one, "high": two}}
    text = "".join((comparator, first, separator, second))
    return {"valueString": text} if text else {}


def _coded(elements: list[Element], source: Source) -> dict[str, Any]:
    found = [one for element in elements if (one := concept(element, "OBX-5", source))]
    if not found:
        return {}
    codings = [coding for one in found for coding in one.get("coding", [])]
    whole: dict[str, Any] = {"text": "; ".join(one["text"] for one in found)}
    return {"valueCodeableConcept": ({"coding": codings} if codings else {}) | whole}


def _string(element: Element, kind: str) -> dict[str, Any]:
    text = _text(element, kind)
    return {"valueString": text} if text else {}


def _text(element: Element, kind: str) -> str:
    if kind in TEXT_TYPES or kind in ("ST", "NM", ""):
        return element.whole()
    parts = element.raw.split(element.separators.component)
    return " ".join(text for n in range(len(parts)) if (text := element.text(n + 1)))
