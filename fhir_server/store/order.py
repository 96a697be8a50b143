"""The order of results, the same in every store.

1. Without a sort: by patient, then by record, both in the order in which the store first met them.
   Records of nobody come after those of several patients and before those of one.
2. With a sort: by its keys in turn. A record's value is its lowest one ascending, its highest one
   descending; ascending, numbers come before text. A record without a value comes last in both
   directions.
3. Ties are broken by patient and record, in the direction of the first key.

A place in the order is the tuple of sort values (`None`: no value), the patient's number and the
record's.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from fhir_server import model
from fhir_server.model import NO_TEXT, Entry, Sort, Text, Value
from fhir_server.search.measure import measured

Place = model.Place
T = TypeVar("T")
SEVERAL = -1
NOBODY = 0


def several(numbers: Collection[int]) -> int:
    """Return the one number that a record about these patients stands under."""
    if len(numbers) > 1:
        return SEVERAL
    return next(iter(numbers), NOBODY)


def value(
    sort: Sort, id: str, updated: int, entries: Iterable[Entry], text: Text = NO_TEXT
) -> Value | None:
    """Return what a record is sorted by under one key; `_id` and `_lastUpdated` need no entry."""
    if sort.by:
        return measured(sort.by, entries, text)
    if sort.param == "_id":
        return id
    if sort.param == "_lastUpdated":
        return updated
    mine = (e for e in entries if e.param in sort.params and not e.path)
    values = [e.v for e in mine if not sort.written or (isinstance(e.w, str) and e.w)]
    pick = max if sort.descending else min
    return pick(values, key=_rank, default=None)


def turned(found: Sequence[T], limit: int, *, back: bool) -> list[T]:
    """Return the page of what was met on a walk, as it stands in the order."""
    return list(found[:limit][::-1] if back else found[:limit])


def onward(places: Sequence[Place], *, more: bool, back: bool) -> Place | None:
    """Return where the walk goes on behind a page."""
    return (places[0] if back else places[-1]) if more and places else None


def beside(place: Place, sorts: Sequence[Sort], *, behind: bool) -> Place:
    """Return the place right behind another, or right before it, where no record is."""
    down = bool(sorts and sorts[0].descending)
    number = place[-1]
    assert isinstance(number, int)
    return (*place[:-1], number + (1 if behind != down else -1))


def place_key(sorts: Sequence[Sort]) -> Callable[[Place], tuple[object, ...]]:
    """Return the function that makes places comparable."""
    directions = [*(s.descending for s in sorts)]
    directions += [bool(directions and directions[0])] * 2

    def key(place: Place) -> tuple[object, ...]:
        return tuple(_key(v, down) for v, down in zip(place, directions, strict=True))

    return key


class _Down:
    """A value whose order is turned round."""

    __slots__ = ("rank",)

    def __init__(self, rank: tuple[bool, Value]) -> None:
        self.rank = rank

    def __lt__(self, other: "_Down") -> bool:
        return other.rank < self.rank  # kinds never meet: the first part keeps them apart

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and self.rank == other.rank

    __hash__ = None  # type: ignore[assignment]  # compared, never kept


def _rank(value: Value) -> tuple[bool, Value]:
    return isinstance(value, str), value


def _key(value: Value | None, descending: bool) -> tuple[object, ...]:
    if value is None:
        return (True,)
    return (False, _Down(_rank(value)) if descending else _rank(value))
