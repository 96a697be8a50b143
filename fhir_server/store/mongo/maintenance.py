"""The operator's side: is the database sound, what is in it.

The check walks records and older versions side by side, in the order of their names, while others
write. What looks wrong is looked at again, at one moment, before it is told.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.store.mongo.documents import WHOLE, Doc
from fhir_server.store.mongo.tables import Tables
from fhir_server.store.order import several
from fhir_server.store.protocol import Stats

_CHUNK = 500
_SHOWN = 20
_SEEN = {"vid": 1, "at": 1, "t": 1, "pid": 1, "pids": 1, "who": 1, "chunks": 1}


async def chunk(tables: Tables, type: str | None, after: str) -> list[Doc]:
    """Return the next living records behind a reference."""
    where: dict[str, Any] = {"_id": {"$gt": after}, "t": {"$ne": None}}
    if type is not None:
        where = {"_id": {"$gt": max(after, f"{type}/"), "$lt": f"{type}0"}, "t": {"$eq": type}}
    return await tables.records.find(where, WHOLE).sort("_id", 1).limit(_CHUNK).to_list(None)


async def stats(tables: Tables) -> Stats:
    """Return how many living records of each type there are, and the bytes on disk."""
    grouped = await tables.records.aggregate(
        [{"$match": {"t": {"$ne": None}}}, {"$sortByCount": "$t"}, {"$sort": {"_id": 1}}]
    )
    counts = {doc["_id"]: doc["count"] async for doc in grouped}
    size = await tables.database.command("dbStats")
    return Stats(counts, int(size["storageSize"] + size["indexSize"]))


async def check(tables: Tables) -> list[str]:
    """Return what the collections say of each other that cannot be."""
    problems: list[str] = []
    for ref in await _suspects(tables):
        async with tables.client.start_session(snapshot=True) as session:
            problems += await _looked_at(tables, ref, session)
    async with tables.client.start_session(snapshot=True) as session:
        written = await _sum(tables, "records", "$vid", session)
        told = await _sum(tables, "commits", {"$size": "$k"}, session)
    if written != told:
        problems.append(f"the change feed tells of {told} versions; there are {written}")
    return problems


async def _sum(tables: Tables, name: str, what: Any, session: AsyncClientSession) -> int:
    stages = [{"$group": {"_id": None, "sum": {"$sum": what}}}]
    found = await getattr(tables, name).aggregate(stages, session=session)
    return sum([doc["sum"] async for doc in found])


async def _suspects(tables: Tables) -> list[str]:
    suspects: list[str] = []
    records = tables.records.find({}, _SEEN).sort("_id", 1)
    async with aclosing(_histories(tables)) as histories:
        history = await anext(histories, None)
        while block := await records.to_list(_CHUNK):
            about = await _about(tables, block)
            for doc in block:
                while history is not None and history[0] < doc["_id"]:
                    suspects.append(history[0])
                    history = await anext(histories, None)
                older: list[Doc] = []
                if history is not None and history[0] == doc["_id"]:
                    older, history = history[1], await anext(histories, None)
                suspects += [doc["_id"] for _ in _wrong(doc, older, about)]
            if len(suspects) > _SHOWN:
                break
        if history is not None:
            suspects.append(history[0])
    return list(dict.fromkeys(suspects))[:_SHOWN]


async def _histories(tables: Tables) -> AsyncGenerator[tuple[str, list[Doc]], None]:
    """Yield the older versions of each record, in the order of its name."""
    ref, docs = "", list[Doc]()
    async for doc in tables.versions.find({}, {"at": 1, "vid": 1}).sort("_id", 1):
        if doc["_id"]["k"] != ref:
            if docs:
                yield ref, docs
            ref, docs = doc["_id"]["k"], []
        docs.append(doc)
    if docs:
        yield ref, docs


async def _looked_at(tables: Tables, ref: str, session: AsyncClientSession) -> list[str]:
    doc = await tables.records.find_one({"_id": ref}, _SEEN, session=session)
    if doc is None:
        return [f"a version belongs to no record: {ref}"]
    where = {"_id": {"$gte": {"k": ref, "v": 0}, "$lt": {"k": ref, "v": float("inf")}}}
    older = await tables.versions.find(where, session=session).sort("_id", 1).to_list(None)
    about = await _about(tables, [doc], session)
    return [f"{words}: {ref}" for words in _wrong(doc, older, about)]


async def _about(
    tables: Tables, docs: Sequence[Doc], session: AsyncClientSession | None = None
) -> Mapping[Any, int]:
    """Return the numbers of the documents' patients, and which of their chunks are there."""
    patients = {id for doc in docs for id in doc.get("who", ())}
    cursor = tables.patients.find({"_id": {"$in": list(patients)}}, session=session)
    found: dict[Any, int] = {doc["_id"]: doc["n"] async for doc in cursor}
    chunks = {name for doc in docs for name in doc.get("chunks", ())}
    return found | dict.fromkeys(await tables.bodies.there(chunks, session), 1)


def _wrong(doc: Doc, older: Sequence[Doc], about: Mapping[Any, int]) -> Iterator[str]:
    """Yield what is wrong with a record, given its older versions in order."""
    if [each["vid"] for each in older] != list(range(1, doc["vid"])):
        yield "the versions of a record have a gap"
    moments = [*(each["at"] for each in older), doc["at"]]
    if any(later <= earlier for earlier, later in pairwise(moments)):
        yield "the versions of a record are not in the order of time"
    if "t" in doc and doc["t"] != doc["_id"].partition("/")[0]:
        yield "a record is of another type than its name says"
    numbers = [about.get(id) for id in doc.get("who", ())]
    known = {number for number in numbers if number is not None}
    if len(known) < len(numbers) or doc["pid"] != several(known):
        yield "a record stands under another patient than its version"
    elif "t" in doc and doc["pids"] != sorted(known):
        yield "a record does not list its patients"
    if any(name not in about for name in doc.get("chunks", ())):
        yield "a part of a body is missing"
