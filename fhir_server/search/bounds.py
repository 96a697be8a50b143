"""Intervals of values: what comparisons let through, in one order of numbers and text.

Numbers come before text, as in the stores. A place in that order is just before a value or just
behind it, so every interval is half-open: `[3, 5]` reaches from before 3 to behind 5.
"""

from collections.abc import Iterable
from math import inf
from typing import Any

from fhir_server.model import Value
from fhir_server.search.prefix import end
from fhir_server.search.tree import Column, Cond, Now

Place = tuple[int] | tuple[int, Any, int]
"""Number or text, the value, before or behind it; one alone stands before all of its kind."""
Interval = tuple[Place, Place]

FIRST: Place = (0,)
TEXT: Place = (1,)
LAST: Place = (2,)
WHOLE: Interval = (FIRST, LAST)


def before(value: Value) -> Place:
    """Return the place just before a value, which is where the value itself is looked for."""
    return (1 if isinstance(value, str) else 0, value, 0)


def behind(value: Value) -> Place:
    """Return the place just behind a value."""
    return (1 if isinstance(value, str) else 0, value, 1)


def interval(conds: Iterable[Cond]) -> Interval | None:
    """Return what comparisons of one column let through, None if that is no interval.

    >>> interval([Cond("v", ">=", 3), Cond("v", "<", 5)])
    ((0, 3, 0), (0, 5, 0))
    """
    low, high = WHOLE
    for cond in conds:
        found = _interval(cond)
        if found is None:
            return None
        low, high = max(low, found[0]), min(high, found[1])
    return low, high


def _interval(cond: Cond) -> Interval | None:
    value = cond.value
    if isinstance(value, Now | tuple):
        return None
    least, most = (TEXT, LAST) if isinstance(value, str) else (FIRST, TEXT)
    match cond.op:
        case "=":
            return before(value), behind(value)
        case "<":
            return least, before(value)
        case "<=":
            return least, behind(value)
        case ">":
            return behind(value), most
        case ">=":
            return before(value), most
        case "prefix":
            last = end(str(value))
            return before(str(value)), LAST if last is None else before(last)
    return None


def comparisons(column: Column, found: Interval) -> tuple[Cond, ...]:
    """Return the comparisons that let an interval of numbers or one of texts through, or all.

    >>> comparisons("v", ((0, 3, 0), (0, 5, 0)))
    (Cond(column='v', op='>=', value=3), Cond(column='v', op='<', value=5))
    """
    low, high = found
    conds: list[Cond] = []
    if len(low) == 3:
        conds.append(Cond(column, ">" if low[2] else ">=", low[1]))
    if len(high) == 3:
        conds.append(Cond(column, "<=" if high[2] else "<", high[1]))
    if not conds and found != WHOLE:
        conds.append(Cond(column, ">=", "" if low == TEXT else -inf))
    return tuple(conds)


def united(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same values as disjoint intervals in order. Those that touch are one, but for
    numbers and text.

    >>> united([((0, 4, 0), (0, 9, 0)), ((0, 1, 0), (0, 4, 0))])
    [((0, 1, 0), (0, 9, 0))]
    """
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if low >= high:
            continue
        if found and (low < found[-1][1] or low == found[-1][1] != TEXT):
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found
