"""One order over several types: pages, each type asked by a query of its own.

1. Without a sort the types follow one another, each in its own order.
2. With a sort all are merged by its keys; among equals the types follow one another.
3. A spot in this order is a type and a place in the order of its records.
4. A walk goes forward, or back: then a page holds what comes before a spot, in the same order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from fhir_server.model import Place, Query, Sort, Version
from fhir_server.store import order
from fhir_server.store.explanation import Total
from fhir_server.store.protocol import Store

_LOWEST, _HIGHEST = -(2**31), 2**62
"""Below and above every number of a patient or a record."""


class Spot(NamedTuple):
    """Where a record stands: `rank` is that of its type among all that were asked for."""

    rank: int
    place: Place

    def beside(self, queries: Sequence["Ranked"], *, behind: bool) -> "Spot":
        """Return the spot right behind this one, or right before it, where no record is."""
        sorts = queries[0].query.sort if queries else ()
        return Spot(self.rank, order.beside(self.place, sorts, behind=behind))


class Ranked(NamedTuple):
    """The query of a type, and the rank of the type. All have one sort and one limit."""

    rank: int
    query: Query


@dataclass(frozen=True, slots=True)
class Merged:
    """Some records in order, the spot of each, and whether the walk finds more beyond them."""

    versions: tuple[Version, ...] = ()
    spots: tuple[Spot, ...] = ()
    more: bool = False


_Found = list[tuple[Spot, Version]]


async def page(
    store: Store, queries: Sequence[Ranked], after: Spot | None = None, *, back: bool = False
) -> Merged:
    """Return the records behind `after` (None: the first ones), or with `back` those before it
    (None: the last ones), at most as many as the queries' limit."""
    if not queries:
        return Merged()
    walk = _merged if queries[0].query.sort else _listed
    turned = [Ranked(rank, replace(q, back=True)) for rank, q in queries] if back else queries
    met, more = await walk(store, turned, after)
    found = order.turned(met, queries[0].query.limit, back=back)
    more = more or len(met) > len(found)
    return Merged(tuple(v for _, v in found), tuple(spot for spot, _ in found), more)


async def between(
    store: Store, queries: Sequence[Ranked], after: Spot | None, until: Spot
) -> list[Version]:
    """Return the records behind `after` up to `until`."""
    found: list[Version] = []
    if not queries:
        return found
    key = spot_key(queries[0].query.sort)
    while True:
        some = await page(store, queries, after)
        inside = [spot for spot in some.spots if not key(until) < key(spot)]
        found += some.versions[: len(inside)]
        if not some.more or len(inside) < len(some.spots):
            return found
        after = some.spots[-1]


def spot_key(sorts: Sequence[Sort]) -> Callable[[Spot], tuple[object, ...]]:
    """Return the function that makes spots comparable."""
    ordered, keys = order.place_key(sorts), len(sorts)

    def key(spot: Spot) -> tuple[object, ...]:
        values = ordered(spot.place)
        return (*values[:keys], spot.rank, *values[keys:])

    return key


async def count(store: Store, queries: Sequence[Ranked]) -> int:
    """Return how many records match."""
    return sum([await store.count(query) for _, query in queries])


async def estimate(store: Store, queries: Sequence[Ranked]) -> Total:
    """Return about how many records match."""
    found = [await store.estimate(query) for _, query in queries]
    return Total(sum(each.number for each in found), all(each.is_exact for each in found))


async def _listed(
    store: Store, queries: Sequence[Ranked], after: Spot | None
) -> tuple[_Found, bool]:
    """Return what is met on the walk, type after type, until the page is full, and whether more is
    known to be there; one record beyond the page tells it, too."""
    back, limit = queries[0].query.back, queries[0].query.limit
    met: _Found = []
    for rank, query in reversed(queries) if back else queries:
        if after is not None and (rank > after.rank if back else rank < after.rank):
            continue
        start = after.place if after is not None and rank == after.rank else None
        wanted = max(limit - len(met), 1)
        whole = wanted == query.limit and start is None
        some = await store.search(query if whole else replace(query, limit=wanted, after=start))
        pairs = list(zip((Spot(rank, place) for place in some.places), some.versions, strict=True))
        met += reversed(pairs) if back else pairs
        if some.next is not None or len(met) > limit:
            return met, True
    return met, False


async def _merged(
    store: Store, queries: Sequence[Ranked], after: Spot | None
) -> tuple[_Found, bool]:
    """Return what is met on the walk, of all types, and whether more is known to be there."""
    (_, first), more = queries[0], False
    met: _Found = []
    for rank, query in queries:
        start = None if after is None else _start(query, rank, after)
        some = await store.search(replace(query, after=start))
        more = more or some.next is not None
        met += zip((Spot(rank, place) for place in some.places), some.versions, strict=True)
    key = spot_key(first.sort)
    met.sort(key=lambda pair: key(pair[0]), reverse=first.back)
    return met, more


def _start(query: Query, rank: int, after: Spot) -> Place:
    """Return the place of a spot among the records of another type: those with the same values
    come before it or behind it as their type does."""
    if rank == after.rank:
        return after.place
    at_end = (rank < after.rank) != query.sort[0].descending
    edge = _HIGHEST if at_end else _LOWEST
    return (*after.place[:-2], edge, edge)
