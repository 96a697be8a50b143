"""Alternatives of one entry that overlap, made fewer: what 5,000 dates let through since the first.

Two that differ in the interval of one column alone, and overlap there, are one with both intervals.
"""

from collections.abc import Iterable, Sequence

from fhir_server.search.bounds import Interval, comparisons, interval, united
from fhir_server.search.tree import Column, Cond

Conds = tuple[Cond, ...]


def overlapped(choices: Iterable[Conds]) -> list[Conds]:
    """Return alternatives that the same entries satisfy.

    >>> overlapped([(Cond("v", ">", 5),), (Cond("v", ">", 2),)])
    [(Cond(column='v', op='>', value=2),)]
    """
    found = list(choices)
    columns: tuple[Column, ...] = ("v", "w")
    for column in columns:
        found = _overlapped(found, column) if len(found) > 1 else found
    return found


def _overlapped(choices: Sequence[Conds], column: Column) -> list[Conds]:
    found: list[Conds] = []
    groups: dict[Conds, list[tuple[Interval, Conds]]] = {}
    for choice in choices:
        span = _span(choice, column)
        if span is None:
            found.append(choice)
        else:
            others = tuple(cond for cond in choice if cond.column != column)
            groups.setdefault(others, []).append((span, choice))
    for others, some in groups.items():
        fewer = united(span for span, _ in some)
        if len(fewer) < len(some):
            found += (comparisons(column, span) + others for span in fewer)
        else:
            found += (choice for _, choice in some)
    return found


def _span(choice: Conds, column: Column) -> Interval | None:
    """Return the interval of a column; None if it is one value, or nothing is asked of it."""
    mine = [cond for cond in choice if cond.column == column]
    return None if not mine or any(cond.op == "=" for cond in mine) else interval(mine)
