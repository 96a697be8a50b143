"""Number parameters: a plain value stands for all that round to it, a prefix for the exact number.

https://hl7.org/fhir/R4/search.html#number
"""

import math
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from fhir_server.model import Entry
from fhir_server.search import sampled
from fhir_server.search.alternatives import Alternatives, cond, prefixed

EXPECTED = "a number such as 100, 5.40 or 1e-3, perhaps after one of eq ne gt lt ge le sa eb ap"
LOWEST, HIGHEST = -sys.float_info.max, sys.float_info.max
"""Where the open ends of a Range lie."""

_FORM = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)

Bounds = tuple[float, float]
Conversion = Callable[[Decimal], Decimal]


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield the bounds of an integer, a decimal, a Quantity or a Range."""
    found = bounds(value)
    if found is not None:
        yield Entry(param, *found)


def bounds(value: Any) -> Bounds | None:
    """Return the lowest and highest number that a value may be; `None` if it says none."""
    match value:
        case int() | float() | Decimal():
            return _near(value), _near(value)
        case {"value": int() | float() | Decimal() as number}:
            return _compared_to(_near(number), value.get("comparator"))
        case {"origin": dict() as origin}:
            return sampled.bounds(value, bounds(origin))
        case {"low": _} | {"high": _}:
            low, high = bounds(value.get("low")), bounds(value.get("high"))
            if low is None and high is None:
                return None
            return LOWEST if low is None else low[0], HIGHEST if high is None else high[1]
    return None


def _near(number: int | float | Decimal, by: Conversion | None = None) -> float:
    """Return a number as the index keeps it; what is beyond its range is at its end."""
    try:
        return float(number if by is None else by(Decimal(number)))
    except OverflowError:
        return HIGHEST if number > 0 else LOWEST


def _compared_to(number: float, comparator: Any) -> Bounds:
    match comparator:
        case "<":
            return LOWEST, math.nextafter(number, LOWEST)
        case "<=":
            return LOWEST, number
        case ">":
            return math.nextafter(number, HIGHEST), HIGHEST
        case ">=":
            return number, HIGHEST
    return number, number


def alternatives(text: str) -> Alternatives:
    """Return what a number text demands of an entry; raises ValueError with the form expected."""
    prefix, bare = prefixed(text)
    return compared(prefix, Decimal(checked(bare)))


def checked(text: str) -> str:
    """Return the text of a number; raises ValueError with the expected form for anything else."""
    if not _FORM.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(EXPECTED)
    return text


def compared(prefix: str, number: Decimal, by: Conversion | None = None) -> Alternatives:
    """Return the comparison with `number` that `prefix` names.

    `eq` and `ne` take the implicit range, half a unit of the last digit to each side; the other
    prefixes take the number as exact; `ap` takes a tenth to each side, or that range if wider.
    `by`, which keeps the order, converts all of these.
    """
    slack = abs(number) / 10
    exact, below, above = (_near(each, by) for each in (number, number - slack, number + slack))
    low, high = (_near(each, by) for each in implicit(number))
    lowest, highest = min(low, below), max(high, above)
    table: dict[str, Alternatives] = {
        # The second one follows from the third, and bounds where an index looks.
        "eq": (cond("v", ">=", low) + cond("v", "<", high) + cond("w", "<", high),),
        "ne": (cond("v", "<", low), cond("w", ">=", high)),
        "gt": (cond("w", ">", exact),),
        "lt": (cond("v", "<", exact),),
        "ge": (cond("w", ">=", exact),),
        "le": (cond("v", "<=", exact),),
        "sa": (cond("v", ">", exact),),
        "eb": (cond("w", "<", exact),),
        "ap": (cond("v", "<=", highest) + cond("w", ">=", lowest),),
    }
    return table[prefix]


def implicit(number: Decimal) -> tuple[Decimal, Decimal]:
    """Return the range [low, high) of the numbers that round to one at its precision.

    One digit before a positive exponent counts as two: the specification reads `1e2` so.

    >>> [tuple(map(float, implicit(Decimal(each)))) for each in ("100", "1e2")]
    [(99.5, 100.5), (95.0, 105.0)]
    """
    _, digits, exponent = number.as_tuple()
    last = int(exponent) - (1 if int(exponent) > 0 and len(digits) == 1 else 0)
    half = Decimal((0, (5,), last - 1))
    return number - half, number + half
