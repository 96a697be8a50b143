"""The records of a type that satisfy a predicate, block by block, joins and all.

1. A join whose other side is few records is *staged*: these are collected once and become a set,
   which leads an index.
2. A join whose other side is many is *settled* for one block of candidates at a time: for which of
   these does it hold? A page is full after a few blocks, however many grants or patients there are.
3. Joins inside of joins are walked in the same way.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from fhir_server.search.tree import Chain, Contained, ForEachPatient, Has, Node
from fhir_server.store.explanation import PATIENTS, Step, named
from fhir_server.store.mongo import canonicals
from fhir_server.store.mongo import filter as filters
from fhir_server.store.mongo.apart import bounding
from fhir_server.store.mongo.condition import ALWAYS, NEVER, Filter
from fhir_server.store.mongo.contained import containing
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.family import read
from fhir_server.store.mongo.filter import Join, Opened, Scope, compiled, only
from fhir_server.store.mongo.logic import both, entry
from fhir_server.store.mongo.openings import holds
from fhir_server.store.mongo.permits import about
from fhir_server.store.mongo.plan import Plan, planned, step
from fhir_server.store.mongo.projection import entries_of, values_of
from fhir_server.store.mongo.reader import Reader, in_blocks

_FIRST, _MOST = 64, 1024
_OWN = "own"  # the field for the references that a Has follows back


class Stream(Protocol):
    """How records are found by a plan: in which order, and behind which place."""

    def __call__(
        self, r: Reader, plan: Plan, fields: Doc, limit: int
    ) -> AsyncGenerator[Doc, None]: ...


async def unordered(r: Reader, plan: Plan, fields: Doc, limit: int) -> AsyncGenerator[Doc, None]:
    """Yield records as they come."""
    async for doc in r.find(plan.where, fields, limit=limit, hint=plan.hint):
        yield doc


@dataclass(frozen=True, slots=True)
class Ask:
    """What is walked: the living records of a type for which `where` and the filter `base` hold.

    `fields` are wanted of each; where candidates have to be looked at first, `light` are. `limit`
    (0: none) is how many are wanted; more may come. `order` is the index that the stream is along.
    """

    type: str
    where: Node
    base: Filter = field(default_factory=dict)
    fields: Doc = field(default_factory=dict)
    light: Doc = field(default_factory=dict)
    limit: int = 0
    order: str | None = None
    stream: Stream = unordered


async def walk(r: Reader, ask: Ask) -> AsyncGenerator[list[Doc], None]:
    """Yield the records that satisfy all of it, in the order of the stream."""
    scope, left = await _scope(r, ask)
    where = await _candidates(r, ask, scope)
    if where == NEVER:
        return
    plan = await planned(r, ask.type, where, ask.order, ask.base)
    r.steps.append(step(ask.type, ask.order, plan))
    if left:
        fields = {**(ask.light or ask.fields), "pids": 1, **_references(left)}
        docs = ask.stream(r, plan, fields, 0)
    else:
        docs = ask.stream(r, plan, ask.fields, ask.limit)
    async with aclosing(in_blocks(docs, _FIRST if left else _MOST, _MOST)) as found:
        async for block in found:
            yield await _settled(r, ask, scope, left, block) if left else block


async def count(r: Reader, ask: Ask) -> int:
    """Return how many records satisfy all of it; if there is a limit, so many or more."""
    scope, left = await _scope(r, ask)
    where = await _candidates(r, ask, scope)
    if where == NEVER:
        return 0
    if not left:
        plan = await planned(r, ask.type, where, None, ask.base)
        return await r.count(plan.where, plan.hint, ask.limit)
    number = 0
    async with aclosing(walk(r, ask)) as blocks:
        async for block in blocks:
            number += len(block)
            if ask.limit and number >= ask.limit:
                break
    return number


async def _scope(r: Reader, ask: Ask) -> tuple[Scope, list[Join | Opened]]:
    """Return what is known, and the joins that are left to be settled."""
    known: dict[object, Filter] = {}
    bounds: dict[object, Filter] = {}
    left: list[Join | Opened] = []
    for join in dict.fromkeys(filters.joins(ask.where)):
        if isinstance(join, Opened):
            permitted = await r.permits_of(join.family)
            bounds[join] = ALWAYS if permitted is None else permitted.anyone
            left.append(join)
            r.steps.append(Step("asks" if permitted is None else "set", join.family.type, PATIENTS))
            continue
        if (ask.type, join) not in r.staged:
            r.staged[ask.type, join] = await _staged(r, ask.type, join)
        staged = r.staged[ask.type, join]
        r.steps.append(Step("asks" if staged is None else "set", join.type, named(join)))
        if staged is not None:
            known[join] = staged
        elif not isinstance(join, Contained):
            left.append(join)
    numbers = await r.tables.names.numbers(filters.patients(ask.where), r.session)
    return Scope(ask.type, r.now, numbers, known, bounds), left


async def _bound(r: Reader, where: Node) -> Filter:
    """Return what is certain of the patients of all that satisfies a predicate."""
    family = bounding(where)
    permitted = await r.permits_of(family) if family else None
    return ALWAYS if permitted is None else permitted.bounds


async def _candidates(r: Reader, ask: Ask, scope: Scope) -> Filter:
    bound = await _bound(r, ask.where)
    return both(({"t": {"$eq": ask.type}}, ask.base, bound, compiled(ask.where, scope)))


async def _staged(r: Reader, type: str, join: Join | Contained) -> Filter | None:
    """Return what a join means for all records of the type; None where its other side is many."""
    if isinstance(join, Contained):
        return await containing(r, type, join)
    permitted = await _permitted(r, type, join)
    if permitted is not None:
        return permitted
    if r.counts.get(type, join) is not None:
        return None
    found: list[Doc] = []
    async with aclosing(walk(r, _other(join, {}, r.many + 1))) as sides:
        async for block in sides:
            found += block
            if len(found) > r.many:
                r.counts.keep(type, join, len(found))
                return None
    return _meaning(type, join, found) if found else NEVER


def _meaning(type: str, join: Join, found: Sequence[Doc]) -> Filter:
    """Return what a join means for the records of a type, by all that is on its other side."""
    match join:
        case Chain(canonical=True) | Has(canonical=True):
            return canonicals.condition(join, _theirs(join, found))
        case Chain(param):
            return entry(param, {"v": {"$in": [doc["_id"] for doc in found]}})
        case Has():
            refs = set().union(*(_values(doc, _OWN) for doc in found))
            return {"_id": {"$in": sorted(r for r in refs if r.startswith(f"{type}/"))}}
        case ForEachPatient():
            return only({number for doc in found for number in doc["pids"]})


async def _permitted(r: Reader, type: str, join: Join) -> Filter | None:
    """Return what a join means by what is kept of its family."""
    found = read(join) if isinstance(join, ForEachPatient | Has) else None
    permitted = await r.permits_of(found[0]) if found else None
    if found is None or permitted is None:
        return None
    if isinstance(join, Has):
        return permitted.references(found[1], type)
    return permitted.patients(found[1])


async def _settled(
    r: Reader, ask: Ask, scope: Scope, left: Sequence[Join | Opened], block: list[Doc]
) -> list[Doc]:
    """Return those of a block for which all holds, joins with many on their other side too."""
    settled: dict[object, Filter] = {
        join: await _opened(r, join, place, block)
        if isinstance(join, Opened)
        else await _holding(r, join, place, block)
        for place, join in enumerate(left)
    }
    whole = replace(scope, joins={**scope.joins, **settled})
    ids = [doc["_id"] for doc in block]
    where = both(({"_id": {"$in": ids}}, compiled(ask.where, whole)))
    if where == NEVER:
        return []
    right = {doc["_id"] async for doc in r.find(where, {"_id": 1}, hint="_id_")}
    return [doc for doc in block if doc["_id"] in right]


async def _opened(r: Reader, join: Opened, place: int, block: Sequence[Doc]) -> Filter:
    """Return for which records of a block alternatives hold."""
    permitted = await r.permits_of(join.family)
    if permitted is None:
        numbers = sorted({number for doc in block for number in doc["pids"]})
        permitted = await about(r, join.family, numbers)
    ids = [d["_id"] for d in block if holds(join, permitted.of, d, d[f"r{place}"], r.now)]
    return {"_id": {"$in": ids}} if ids else NEVER


async def _holding(
    r: Reader, join: Chain | Has | ForEachPatient, place: int, block: Sequence[Doc]
) -> Filter:
    """Return for which records of a block a join holds."""
    match join:
        case Chain(canonical=True) | Has(canonical=True):
            ids = await _of_canonicals(r, join, place, block)
        case Chain():
            refs = {doc["_id"]: _values(doc, f"r{place}") for doc in block}
            wanted = sorted(set().union(*refs.values()))
            found = {doc["_id"] for doc in await _all(r, join, {"_id": {"$in": wanted}})}
            ids = [id for id, values in refs.items() if not found.isdisjoint(values)]
        case Has(_, param):
            base = entry(param, {"v": {"$in": [doc["_id"] for doc in block]}})
            others = await _all(r, join, base)
            referred = set().union(*(_values(doc, _OWN) for doc in others))
            ids = [doc["_id"] for doc in block if doc["_id"] in referred]
        case ForEachPatient():
            numbers = sorted({number for doc in block for number in doc["pids"]})
            about = await _all(r, join, {"pids": {"$in": numbers}})
            permitted = {number for doc in about for number in doc["pids"]}
            ids = [d["_id"] for d in block if d["pids"] and permitted.issuperset(d["pids"])]
    return {"_id": {"$in": ids}} if ids else NEVER


async def _of_canonicals(
    r: Reader, join: Chain | Has, place: int, block: Sequence[Doc]
) -> list[str]:
    """Return the records of a block for which a join by canonical URL holds."""
    mine = {doc["_id"]: canonicals.told(join, doc[f"r{place}"], is_own=True) for doc in block}
    urls = sorted({url for each in mine.values() for url, _ in each})
    param = canonicals.params(join, is_own=False)[0]
    theirs = _theirs(join, await _all(r, join, entry(param, {"v": {"$in": urls}})))
    return [id for id, each in mine.items() if not theirs.isdisjoint(each)]


def _theirs(join: Chain | Has, others: Iterable[Doc]) -> set[canonicals.Canonical]:
    return {each for doc in others for each in canonicals.told(join, doc[_OWN], is_own=False)}


async def _all(r: Reader, join: Join, base: Filter) -> list[Doc]:
    return [doc async for block in walk(r, _other(join, base, 0)) for doc in block]


def _other(join: Join, base: Filter, limit: int) -> Ask:
    """Return the walk over the other side of a join, with what is needed of it."""
    fields: Doc = {"_id": 1}
    if isinstance(join, Chain | Has) and join.canonical:
        fields = {_OWN: entries_of(*canonicals.params(join, is_own=False))}
    elif isinstance(join, Has):
        fields = {_OWN: values_of(join.param)}
    elif isinstance(join, ForEachPatient):
        fields = {"pids": 1}
    return Ask(join.type, join.where, base, fields, limit=limit)


def _references(joins: Iterable[Join | Opened]) -> Doc:
    """Return the projection of what joins go by, `r` and the join's place."""
    found: Doc = {}
    for place, join in enumerate(joins):
        match join:
            case Opened():
                found[f"r{place}"] = entries_of(*join.params)
            case Chain(canonical=True) | Has(canonical=True):
                found[f"r{place}"] = entries_of(*canonicals.params(join, is_own=True))
            case Chain() | Has():
                found[f"r{place}"] = values_of(join.param)
    return found


def _values(doc: Doc, field: str) -> set[str]:
    return {value for value in doc[field] if isinstance(value, str)}
