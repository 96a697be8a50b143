"""One order over several types: pages, each type asked by a query of its own.

1. Without a sort the types follow one another, each in its own order.
2. With a sort all are merged by its keys; among equals the types follow one another.
3. A spot in this order is a type and a place in the order of its records.
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


class Ranked(NamedTuple):
    """The query of a type, and the rank of the type. All have one sort and one limit."""

    rank: int
    query: Query


@dataclass(frozen=True, slots=True)
class Merged:
    """Some records in order, the spot of each, and whether there are more behind them."""

    versions: tuple[Version, ...] = ()
    spots: tuple[Spot, ...] = ()
    more: bool = False


_Found = list[tuple[Spot, Version]]


async def page(store: Store, queries: Sequence[Ranked], after: Spot | None) -> Merged:
    """Return the records behind `after`, at most as many as the queries' limit."""
    if not queries:
        return Merged()
    return await (_merged if queries[0].query.sort else _listed)(store, queries, after)


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


async def _listed(store: Store, queries: Sequence[Ranked], after: Spot | None) -> Merged:
    """Ask one type after the other until the page is full, and then whether anything follows."""
    limit = queries[0].query.limit
    found: _Found = []
    for rank, query in queries:
        if after is not None and rank < after.rank:
            continue
        start = after.place if after is not None and rank == after.rank else None
        wanted = max(limit - len(found), 1)
        some = await store.search(replace(query, limit=wanted, after=start))
        found += zip((Spot(rank, place) for place in some.places), some.versions, strict=True)
        if some.next is not None or len(found) > limit:
            return _cut(found, limit, more=True)
    return _cut(found, limit, more=False)


async def _merged(store: Store, queries: Sequence[Ranked], after: Spot | None) -> Merged:
    (_, first), more = queries[0], False
    found: _Found = []
    for rank, query in queries:
        start = None if after is None else _start(query, rank, after)
        some = await store.search(replace(query, after=start))
        more = more or some.next is not None
        found += zip((Spot(rank, place) for place in some.places), some.versions, strict=True)
    key = spot_key(first.sort)
    found.sort(key=lambda pair: key(pair[0]))
    return _cut(found, first.limit, more=more or len(found) > first.limit)


def _start(query: Query, rank: int, after: Spot) -> Place:
    """Return the place behind which the records of a type come after a spot: those with the same
    values do if their type does."""
    if rank == after.rank:
        return after.place
    at_end = (rank < after.rank) != query.sort[0].descending
    edge = _HIGHEST if at_end else _LOWEST
    return (*after.place[:-2], edge, edge)


def _cut(found: _Found, limit: int, *, more: bool) -> Merged:
    page = found[:limit]
    return Merged(tuple(v for _, v in page), tuple(spot for spot, _ in page), more)
