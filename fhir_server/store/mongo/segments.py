"""Which values come first under a key, so that not everything is sorted for a page.

A sample of all records tells which values there are. They are cut into segments that follow one
another in the order; what lies in the first ones is found by its values and sorted, until the page
is full. The segments depend on chance, what is found does not: together they are all values.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fhir_server.model import Sort, Value
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.projection import values_of
from fhir_server.store.mongo.reader import Reader

_SIZE = 1000
_FIRST = 256
"""So many records are in the first segment; each has twice as many as the one before."""
_LOWEST = float("-inf")


@dataclass(frozen=True, slots=True)
class Segment:
    """Numbers or text above `low` up to `high` (None: no limit)."""

    is_text: bool
    low: Value | None
    high: Value | None

    @property
    def condition(self) -> Filter:
        """Return the comparisons of a value."""
        found: Filter = {}
        if self.low is not None:
            found["$gt"] = self.low
        elif self.is_text:
            found["$gte"] = ""
        elif self.high is None:
            found["$gte"] = _LOWEST
        return found if self.high is None else {**found, "$lte": self.high}

    def may_follow(self, value: Value, *, down: bool) -> bool:
        """Tell whether something of it comes behind a value, or is alike."""
        if self.is_text != isinstance(value, str):
            return self.is_text != down
        limit = self.low if down else self.high
        if limit is None:
            return True
        return value > limit if down else value <= limit  # type: ignore[operator]  # of one kind


def segments(sample: Iterable[Value], share: float, *, down: bool) -> list[Segment]:
    """Return segments in their order, of which the first one holds about such a share of all.

    >>> segments([1, 2, 3, 4], 0.25, down=False)[:2]
    [Segment(is_text=False, low=None, high=1), Segment(is_text=False, low=1, high=3)]
    """
    values = sorted(sample, key=lambda value: (isinstance(value, str), value))
    places = list(_places(len(values), share))
    if down:
        places = [len(values) - 1 - place for place in places]
    cuts = list(dict.fromkeys(values[place] for place in sorted(places)))
    found: list[Segment] = []
    for is_text in (False, True):
        own = [cut for cut in cuts if isinstance(cut, str) == is_text]
        found += (Segment(is_text, low, high) for low, high in pairwise((None, *own, None)))
    return found[::-1] if down else found


def _places(number: int, share: float) -> Iterator[int]:
    step = max(1, int(number * share))
    place = step - 1
    while place < number:
        yield place
        step *= 2
        place += step


def is_cut(sort: Sort) -> bool:
    """Tell whether the values of a key are those of entries, whatever else these say."""
    return not sort.by and not sort.written and sort.param not in ("_id", "_lastUpdated")


async def sampled(r: Reader, type: str, sort: Sort) -> tuple[Sequence[Value], float]:
    """Return values of records of a type, and which share of them a first segment should hold."""
    kept = r.samples.get(type, sort.params)
    if kept is None:
        kept = await _sampled(r, type, sort)
        r.samples.keep(type, sort.params, kept)
    return kept


async def _sampled(r: Reader, type: str, sort: Sort) -> tuple[Sequence[Value], float]:
    everything = await r.tables.records.estimated_document_count(maxTimeMS=r.left())
    stages: list[Doc] = [
        {"$sample": {"size": _SIZE}},
        {"$match": {"t": {"$eq": type}}},
        {"$project": {f"v{place}": values_of(param) for place, param in enumerate(sort.params)}},
    ]
    docs = [doc async for doc in await r.aggregate(stages)]
    names = [f"v{place}" for place in range(len(sort.params))]
    values = [value for doc in docs for name in names for value in doc[name]]
    share = _FIRST * _SIZE / max(everything * len(docs), 1)
    return values, share if r.few else 0.0
