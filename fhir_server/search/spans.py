"""Which of many intervals, or of many boxes of two columns, a value lies in: a look, not a list.

1. Disjoint intervals are found by bisection. Of others, all that begin before the value are looked
   at from the last one back, as long as one further back reaches so far.
2. Boxes are alternatives of two columns, as a date's are: it begins at the earliest here and ends
   at the latest there. In order of where they begin, a later one usually also ends later: of those
   that begin early enough the last one alone decides, or the one that demands least.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Generic, TypeVar

from fhir_server.model import Value
from fhir_server.search.bounds import FIRST, TEXT, Interval, Place, before, united

T = TypeVar("T")


class Union:
    """Whether a value lies in one of many intervals."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        """Take them in any order."""
        found = united(intervals)
        self._lows = [low for low, _ in found]
        self._highs = [high for _, high in found]

    def __contains__(self, value: Value) -> bool:
        """Tell it."""
        place = before(value)
        at = bisect_right(self._lows, place) - 1
        return at >= 0 and place < self._highs[at]


class Spans(Generic[T]):
    """What belongs to the intervals that a value lies in."""

    def __init__(self, spans: Iterable[tuple[Interval, T]]) -> None:
        """Take intervals, each with what belongs to it."""
        self._spans = sorted(spans, key=lambda span: span[0])
        self._lows = [low for (low, _), _ in self._spans]
        self._reach = list(accumulate((high for (_, high), _ in self._spans), max))

    def at(self, value: Value) -> Iterator[T]:
        """Yield it."""
        place = before(value)
        for n in range(bisect_right(self._lows, place) - 1, -1, -1):
            if self._reach[n] <= place:
                return
            (_, high), found = self._spans[n]
            if place < high:
                yield found


Box = tuple[Interval, Interval]
"""What the first column may be and what the second may."""

_FEW = 16


class Boxes:
    """Whether two values lie in one of many boxes."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        """Take them in any order."""
        rising: dict[Place, list[Box]] = {}
        falling: dict[tuple[Place, Place], list[Box]] = {}
        for box in boxes:
            (low, _), (least, most) = box
            if low in (FIRST, TEXT):
                falling.setdefault((low, most), []).append(box)
            else:
                rising.setdefault(least, []).append(box)
        self._falling = [_Falling(some) for some in falling.values() if len(some) > _FEW]
        self._rising = [_Rising(some) for some in rising.values() if len(some) > _FEW]
        few = (some for some in (*falling.values(), *rising.values()) if len(some) <= _FEW)
        self._rest = Spans([*chain(*few), *chain(*(each.rest for each in self._rising))])

    def has(self, value: Value, other: Value) -> bool:
        """Tell it."""
        x, y = before(value), before(other)
        return (
            any(each.has(x, y) for each in self._falling)
            or any(each.has(x, y) for each in self._rising)
            or any(low <= y < high for low, high in self._rest.at(value))
        )


class _Rising:
    """Boxes of which those that begin later also end later, in both columns; the second column
    begins alike in all. The `rest` are those that do not fit in."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._least = boxes[0][1][0]
        self.rest: list[Box] = []
        fitting: list[Box] = []
        widest = sorted(boxes, key=lambda box: box[0][1], reverse=True)
        for box in sorted(widest, key=lambda box: box[0][0]):
            (_, high), (_, most) = box
            (_, reached), (_, asked) = fitting[-1] if fitting else box
            if high >= reached and most >= asked:
                fitting.append(box)
            elif high > reached or most > asked:
                self.rest.append(box)
        self._lows = [low for (low, _), _ in fitting]
        self._ends = [(high, most) for (_, high), (_, most) in fitting]

    def has(self, x: Place, y: Place) -> bool:
        at = bisect_right(self._lows, x) - 1
        if at < 0:
            return False
        high, most = self._ends[at]
        return x < high and self._least <= y < most


class _Falling:
    """Boxes that begin alike in the first column and end alike in the second."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        (self._low, _), (_, self._most) = boxes[0]
        ends = sorted((high, least) for (_, high), (least, _) in boxes)
        self._highs = [high for high, _ in ends]
        self._least = list(accumulate((least for _, least in reversed(ends)), min))[::-1]

    def has(self, x: Place, y: Place) -> bool:
        at = bisect_right(self._highs, x)
        return at < len(self._highs) and x >= self._low and self._least[at] <= y < self._most
