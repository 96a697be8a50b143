"""Pages and counts of the records that a query asks for."""

from contextlib import aclosing

from pymongo.errors import ExecutionTimeout

from fhir_server.errors import TooCostly
from fhir_server.model import Page, Query
from fhir_server.search.tree import Node
from fhir_server.store import order
from fhir_server.store.explanation import Step
from fhir_server.store.mongo.apart import apart, families
from fhir_server.store.mongo.bodies import Bodies
from fhir_server.store.mongo.documents import LIGHT, PLACED, Doc, key, version
from fhir_server.store.mongo.reader import Reader
from fhir_server.store.mongo.sorting import Ordered
from fhir_server.store.mongo.walk import Ask, count, walk

_SORTING = 4
"""To find all that match and sort them is worth so many times the patience."""


async def page(r: Reader, bodies: Bodies, query: Query, main: str | None) -> Page:
    """Return a page of latest, living versions."""
    if query.limit <= 0:
        return Page(())
    ordered = Ordered(query, main)
    if ordered.index is None:
        on = ", ".join(sort.param for sort in query.sort)
        r.steps.append(Step("sorts", query.type, on))
    found = await _found(r, query, main, ordered)
    docs = order.turned(found, query.limit, back=query.back)
    more = len(found) > len(docs)
    whole = await _whole(r, docs)
    contents = await bodies.read(whole, r.session)
    versions = [version(key(d["_id"]), d, b) for d, b in zip(whole, contents, strict=True)]
    places = tuple(map(ordered.place, docs))
    return Page(tuple(versions), places, order.onward(places, more=more, back=query.back))


async def _found(r: Reader, query: Query, main: str | None, ordered: Ordered) -> list[Doc]:
    """Return the records of the page, and one more if there is one, as the walk meets them.

    Where alternatives make a walk along an index long, it is given up, and each is asked by itself.
    """
    parts = apart(query.where) if ordered.index else None
    if parts is None or not await _are_known(r, query.where):
        return await _walked(r, query, query.where, ordered)
    if not r.counts.get(query.type, parts):
        try:
            hurried = r.hurried(_SORTING if query.sort else 1)
            return await _walked(hurried, query, query.where, ordered)
        except (ExecutionTimeout, TooCostly):
            r.counts.keep(query.type, parts, 1)
    r.steps.append(Step("impatient", query.type))
    collected = Ordered(query, main, collects=True)
    found: dict[str, Doc] = {}
    for where in parts.each():
        found |= {doc["_id"]: doc for doc in await _walked(r, query, where, collected)}
    rank = order.place_key(query.sort)
    return sorted(found.values(), key=lambda doc: rank(ordered.place(doc)), reverse=query.back)


async def _walked(r: Reader, query: Query, where: Node, ordered: Ordered) -> list[Doc]:
    ask = Ask(
        query.type,
        where,
        fields=PLACED,
        light=LIGHT,
        limit=query.limit + 1,
        order=ordered.index,
        stream=ordered.stream,
    )
    found: list[Doc] = []
    async with aclosing(walk(r, ask)) as blocks:
        async for block in blocks:
            found += block
            if len(found) > query.limit:
                break
    return found


async def total(r: Reader, query: Query) -> int:
    """Return how many records match."""
    parts = apart(query.where)
    if parts is None or not await _are_known(r, query.where):
        return await _counted(r, query.type, query.where)
    return sum([await _counted(r, query.type, where) for where in parts.disjoint()])


async def _counted(r: Reader, type: str, where: Node) -> int:
    return await count(r, Ask(type, where, fields={"_id": 1}))


async def _are_known(r: Reader, where: Node) -> bool:
    """Tell whether it is known what all grants permit that a predicate asks for."""
    for family in families(where):
        if family is None or await r.permits_of(family) is None:
            return False
    return True


async def exists(r: Reader, query: Query) -> bool:
    """Return whether any record matches."""
    ask = Ask(query.type, query.where, fields={"_id": 1}, limit=1)
    async with aclosing(walk(r, ask)) as blocks:
        async for block in blocks:
            if block:
                return True
    return False


async def _whole(r: Reader, docs: list[Doc]) -> list[Doc]:
    """Return the documents with all that a version needs, in their order."""
    missing = [doc["_id"] for doc in docs if "vid" not in doc]
    if not missing:
        return docs
    cursor = r.find({"_id": {"$in": missing}}, PLACED)
    found = {doc["_id"]: doc async for doc in cursor}
    return [found.get(doc["_id"], doc) for doc in docs]
