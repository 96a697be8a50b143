"""Whom and what records permit, kept between queries for as long as it is certainly right.

1. What is kept of a family (`family`) was found in one moment, for one time. It serves a query
   whose moment has the same stamps (`stamps`), and whose time is not before that time nor behind
   the next one at which a record of the family begins or runs out. So the next query sees a grant
   that has come, was closed, or has run out, whichever process wrote it.
2. Where these records are many, to find them all costs as much as some pages that ask without: a
   page does it once so many have gone without, a count at once.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from operator import ge, gt, le, lt
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.cursor import AsyncCursor

from fhir_server.model import Value
from fhir_server.search.tree import Cond, Match
from fhir_server.store.mongo.condition import NEVER, Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.family import Family, timeless
from fhir_server.store.mongo.filter import Scope, compiled
from fhir_server.store.mongo.logic import both, hidden
from fhir_server.store.mongo.plan import planned
from fhir_server.store.mongo.projection import values_of
from fhir_server.store.mongo.reader import Reader
from fhir_server.store.mongo.stamps import Stamps
from fhir_server.store.order import NOBODY, SEVERAL

MOST = 50_000
"""So many records of a family are kept; of more, none are."""
_ALL = 200_000
"""So many are kept in all."""
_MERGED = 2000
"""The server finds its way between alternatives of which one is about so many patients. It takes
milliseconds to plan with more, where walking without a plan soon meets one of so many."""
_PAGES = 10
_A_PAGE = 1000
"""To find so many costs as much as to ask without for a page."""
_BATCH = 1000
"""All of them are wanted, but to decode more at once would hold up everybody else."""
_LEAST = 100
"""What little is kept counts as much, so that there is an end to it."""

_TESTS = {"<": lt, "<=": le, ">": gt, ">=": ge}
_FALLING = frozenset((">", ">="))
"""What holds of a value and the time until the time has passed it, and never again."""


@dataclass(frozen=True)
class Permitted:
    """Of whom the records of a family are that hold, or what they refer to, each with the values of
    `by` of its records."""

    of: Mapping[Any, frozenset[str]]
    _filters: dict[str, Filter] = field(default_factory=dict)

    def patients(self, value: str) -> Filter:
        """Return that a record is about somebody and only about those with this value."""
        known = self._filters.get(value)
        if known is None:
            some = [number for number, values in self.of.items() if value in values]
            known = self._filters[value] = _among(some)
        return known

    @cached_property
    def bounds(self) -> Filter:
        """Return what holds of a record that is only about those who are here at all, by which
        the indexes in the default order jump from one to the next."""
        return {"pid": RawBSONDocument(encode({"$in": sorted([SEVERAL, *self.of])}))}

    @cached_property
    def anyone(self) -> Filter:
        """Return the same as one of several alternatives."""
        return self.bounds if len(self.of) <= _MERGED else hidden(self.bounds)

    def references(self, value: str, type: str) -> Filter:
        """Return that a record of the type is referred to with this value."""
        name = f"{type}/{value}"
        known = self._filters.get(name)
        if known is None:
            refs = [str(ref) for ref, values in self.of.items() if value in values]
            mine = sorted(ref for ref in refs if ref.startswith(f"{type}/"))
            found: Filter = {"_id": RawBSONDocument(encode({"$in": mine}))}
            known = self._filters[name] = found if mine else NEVER
        return known


def _among(numbers: Iterable[int]) -> Filter:
    """Return that a record is about somebody, and only about patients of these numbers.

    Long lists are encoded once for all queries that they serve, and no index is led by them.
    """
    allowed = sorted(numbers)
    if not allowed:
        return NEVER
    about = RawBSONDocument(encode({"$in": [SEVERAL, *allowed]}))
    others = {"pids": {"$elemMatch": RawBSONDocument(encode({"$nin": allowed}))}}
    return {"pid": about if len(allowed) <= _MERGED else {"$ne": NOBODY}, "$nor": [others]}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found (None: too much) in a moment with these stamps, and for which times."""

    permitted: Permitted | None
    stamps: Stamps
    made: int
    end: float
    count: int

    @property
    def size(self) -> int:
        """Return what it counts as."""
        return _LEAST + (self.count if self.permitted else 0)

    def serves(self, stamps: Stamps, now: int) -> bool:
        """Tell whether it is right in a moment with these stamps, at this time."""
        return self.stamps == stamps and self.made <= now < self.end


class Permits:
    """What a process keeps."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[Family, _Kept] = {}
        self._missed: dict[Family, int] = {}
        self._making: dict[Family, asyncio.Lock] = {}

    async def of(self, r: Reader, family: Family, *, whole: bool) -> Permitted | None:
        """Return what is right for a query; None if it is not known, or not worth it."""
        stamps = await r.stamps(family.type, family.values)
        lock = self._making.setdefault(family, asyncio.Lock())
        try:
            async with lock:  # what somebody else finds just now serves too
                kept = self._kept.pop(family, None)
                if kept is None or not kept.serves(stamps, r.now):
                    kept = await self._found(r, family, stamps, kept, whole=whole)
                if kept is not None:
                    self._keep(family, kept)
        finally:
            self._making.pop(family, None)
        return kept.permitted if kept is not None and kept.serves(stamps, r.now) else None

    async def _found(
        self, r: Reader, family: Family, stamps: Stamps, last: _Kept | None, *, whole: bool
    ) -> _Kept | None:
        """Return what is right now, or where that is not worth it, what was kept before."""
        missed = self._missed.get(family, 0)
        pages = max(_PAGES, last.size // _A_PAGE if last else 0)
        most = MOST if whole or missed >= pages else r.many
        if missed and most < MOST:
            self._missed[family] = missed + 1
            return last
        made = await _made(r, family, stamps, most)
        if made.count > r.many:
            self._miss(family)
        else:
            self._missed.pop(family, None)
        return last if made.permitted is None and most < MOST else made

    def _miss(self, family: Family) -> None:
        """Let pages go without what costs much, once it has to be found again."""
        if len(self._missed) * _LEAST >= _ALL:
            self._missed.clear()
        self._missed[family] = 1

    def _keep(self, family: Family, kept: _Kept) -> None:
        self._kept[family] = kept
        total = sum(each.size for each in self._kept.values())
        while total > _ALL:
            oldest = next(iter(self._kept))
            total -= self._kept.pop(oldest).size


async def about(r: Reader, family: Family, numbers: Sequence[int]) -> Permitted:
    """Return whom of these patients the records of a family permit now."""
    made = await _made(r, family, {}, inf, {"pids": {"$in": list(numbers)}})
    assert made.permitted is not None
    return made.permitted


async def _made(
    r: Reader, family: Family, stamps: Stamps, most: float, base: Filter | None = None
) -> _Kept:
    """Find the records of a family that hold now, and when that changes."""
    found: dict[Any, set[str]] = {}
    end, count = inf, 0
    async for doc in await _records(r, family, 0 if most == inf else int(most) + 1, base):
        count += 1
        times = [_numbers(doc[f"t{place}"]) for place in range(len(family.timed))]
        end = min([end, *(time for some in times for time in some if time > r.now)])
        if count <= most and _holds(family, times, r.now):
            for one in doc["pids"] if not family.param else doc["refs"]:
                found.setdefault(one, set()).update(doc["by"])
    if count > most:
        return _Kept(None, stamps, r.now, inf, count)
    alike = {values: values for values in map(frozenset, found.values())}
    of = {one: alike[frozenset(values)] for one, values in found.items()}
    return _Kept(Permitted(of), stamps, r.now, end, count)


async def _records(r: Reader, family: Family, limit: int, base: Filter | None) -> AsyncCursor[Doc]:
    """Return the records of a family that hold now, or will."""
    scope = Scope(family.type, r.now)
    lead, *rest = (compiled(node, scope) for node in timeless(family))
    last = [
        compiled(Match(param, (Cond("v", op, r.now),)), scope)
        for param, op in family.timed
        if op in _FALLING
    ]
    where = both(({"t": {"$eq": family.type}}, base or {}, lead, *rest, *last))
    plan = await planned(r, family.type, where, None, base or lead)
    fields: Doc = {
        "by": values_of(family.by) if family.by else {"$literal": [""]},
        **{f"t{place}": values_of(param) for place, (param, _) in enumerate(family.timed)},
        **({"refs": values_of(family.param)} if family.param else {"pids": 1}),
    }
    return r.find(plan.where, fields, limit=limit, hint=plan.hint).batch_size(_BATCH)


def _numbers(values: Iterable[Value]) -> list[int | float]:
    return [value for value in values if not isinstance(value, str)]


def _holds(family: Family, times: Sequence[Sequence[int | float]], now: int) -> bool:
    return all(
        any(_TESTS[op](time, now) for time in some)
        for (_, op), some in zip(family.timed, times, strict=True)
    )
