"""Pages and counts of the records that a query asks for."""

from contextlib import aclosing

from fhir_server.model import Page, Query
from fhir_server.store import order
from fhir_server.store.explanation import Step
from fhir_server.store.mongo.bodies import Bodies
from fhir_server.store.mongo.documents import LIGHT, PLACED, Doc, key, version
from fhir_server.store.mongo.reader import Reader
from fhir_server.store.mongo.sorting import Ordered
from fhir_server.store.mongo.walk import Ask, count, walk


async def page(r: Reader, bodies: Bodies, query: Query, main: str | None) -> Page:
    """Return a page of latest, living versions."""
    if query.limit <= 0:
        return Page(())
    ordered = Ordered(query, main)
    if ordered.index is None:
        on = ", ".join(sort.param for sort in query.sort)
        r.steps.append(Step("sorts", query.type, on))
    ask = Ask(
        query.type,
        query.where,
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
    docs = order.turned(found, query.limit, back=query.back)
    more = len(found) > len(docs)
    whole = await _whole(r, docs)
    contents = await bodies.read(whole, r.session)
    versions = [version(key(d["_id"]), d, b) for d, b in zip(whole, contents, strict=True)]
    places = tuple(map(ordered.place, docs))
    return Page(tuple(versions), places, order.onward(places, more=more, back=query.back))


async def total(r: Reader, query: Query) -> int:
    """Return how many records match."""
    return await count(r, Ask(query.type, query.where, fields={"_id": 1}))


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
