"""Patients whom a grant's predicate permits, and slices of them.

A page under grants is found by asking about a few of the permitted patients at a time, in the order
of their numbers, until it is full: a slice is a range of numbers, so that whatever else may satisfy
the query is asked about the same patients, and the slices together are everybody.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from fhir_server.store.order import SEVERAL, Place


class Range(NamedTuple):
    """The patients whose numbers are above `low`, and not above `high`."""

    low: int
    high: int


ALL = Range(SEVERAL - 1, 2**63 - 1)
"""Everybody, nobody, and several."""


class Permitted:
    """The numbers of the patients: as a set, in order, and that as JSON."""

    def __init__(self, pids: Iterable[int], ordered: Iterable[int] | None = None) -> None:
        """Take the numbers, and the same in order where that is known."""
        self.pids = frozenset(pids)
        self.ordered = tuple(sorted(self.pids) if ordered is None else ordered)

    @cached_property
    def listed(self) -> str:
        """Return all of them as JSON."""
        return msgspec.json.encode(self.ordered).decode()

    def changed(self, asked: Iterable[int], permitted: Iterable[int]) -> "Permitted":
        """Return what it becomes where of the patients `asked` about these are permitted."""
        now = frozenset(permitted)
        gone, come = self.pids.intersection(asked) - now, now - self.pids
        if not gone and not come:
            return self
        ordered = list(self.ordered)
        for pid in gone:
            del ordered[bisect_left(ordered, pid)]
        for pid in come:
            insort(ordered, pid)
        return Permitted((self.pids - gone) | come, ordered)

    def within(self, range: Range) -> str:
        """Return as JSON those of a range, and the number of several if that is in it."""
        low, high = (bisect_right(self.ordered, bound) for bound in range)
        several = (SEVERAL,) if range.low < SEVERAL else ()
        return msgspec.json.encode((*several, *self.ordered[low:high])).decode()


def before(place: Place | None, *, down: bool) -> Range:
    """Return the empty slice from which the first one follows, of a walk behind a place."""
    if place is None:
        start = ALL.high if down else ALL.low
    else:
        patient = place[-2]
        assert isinstance(patient, int)
        start = patient if down else patient - 1
    return Range(start, start)


def following(last: Range, sets: Sequence[Permitted], size: int, *, down: bool) -> Range | None:
    """Return the slice behind another one in which no set has more than `size`; None: no more."""
    if down:
        low = max(_below(each.ordered, last.low, size) for each in sets)
        return Range(low, last.low) if last.low > ALL.low else None
    high = min(_above(each.ordered, last.high, size) for each in sets)
    return Range(last.high, high) if last.high < ALL.high else None


def _above(pids: tuple[int, ...], start: int, size: int) -> int:
    place = bisect_right(pids, start) + size - 1
    return pids[place] if place < len(pids) else ALL.high


def _below(pids: tuple[int, ...], start: int, size: int) -> int:
    place = bisect_right(pids, start) - size - 1
    return pids[place] if place >= 0 else ALL.low
