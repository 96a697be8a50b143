"""The past: the versions of one record, or of all records of some types, in the order of time.

Latest versions and older ones are two collections; each gives its first few, which are merged.
"""

from collections.abc import Iterator
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.model import History, Key
from fhir_server.store.mongo.documents import WHOLE, Doc
from fhir_server.store.mongo.tables import Tables

_MOST_VID = 1 << 62


async def versions(
    tables: Tables, session: AsyncClientSession, history: History
) -> list[tuple[str, Doc]]:
    """Return literal references with the versions' documents; the session holds one moment."""
    if history.limit <= 0:
        return []
    bounds = _bounds(history)
    if history.after is not None:
        place = await _place(tables, session, *history.after)
        if place is None:
            return []
        bounds.append(_behind(history, place))
    found: list[tuple[str, Doc]] = []
    for table, scope in _scopes(tables, history):
        where = {"$and": [scope, *bounds]}
        if table is tables.versions and history.current is not None:
            where["$and"].append({"r": {"$gt": history.current}})
        found += await _some(table, session, where, history)
    found.sort(key=lambda each: (each[1]["at"], each[1]["tick"]), reverse=not history.ascending)
    return found[: history.limit]


def _scopes(
    tables: Tables, history: History
) -> Iterator[tuple[AsyncCollection[dict[str, Any]], Doc]]:
    if isinstance(history.scope, Key):
        ref = str(history.scope)
        below = {"$gte": {"k": ref, "v": 0}, "$lt": {"k": ref, "v": _MOST_VID}}
        yield tables.records, {"_id": ref}
        yield tables.versions, {"_id": below}
        return
    types = {"h": {"$in": sorted(type for type in history.scope if type[0].isupper())}}
    yield tables.records, types
    yield tables.versions, types


def _bounds(history: History) -> list[Doc]:
    bounds: list[Doc] = []
    if history.since is not None:
        bounds.append({"at": {"$gte": history.since}})
    if history.until is not None:
        bounds.append({"at": {"$lt": history.until}})
    return bounds


def _behind(history: History, place: tuple[int, int]) -> Doc:
    at, tick = place
    beyond = "$gt" if history.ascending else "$lt"
    return {"$or": [{"at": {beyond: at}}, {"at": at, "tick": {beyond: tick}}]}


async def _place(
    tables: Tables, session: AsyncClientSession, key: Key, vid: int
) -> tuple[int, int] | None:
    """Return where in time a version is, None if there is no such version."""
    fields = {"at": 1, "tick": 1}
    ref = str(key)
    doc = await tables.records.find_one({"_id": ref, "vid": vid}, fields, session=session)
    if doc is None:
        doc = await tables.versions.find_one({"_id": {"k": ref, "v": vid}}, fields, session=session)
    return None if doc is None else (doc["at"], doc["tick"])


async def _some(
    table: AsyncCollection[dict[str, Any]],
    session: AsyncClientSession,
    where: Doc,
    history: History,
) -> list[tuple[str, Doc]]:
    down = 1 if history.ascending else -1
    cursor = table.find(where, WHOLE, session=session)
    docs = await cursor.sort([("at", down), ("tick", down)]).limit(history.limit).to_list(None)
    return [(doc["_id"] if isinstance(doc["_id"], str) else doc["_id"]["k"], doc) for doc in docs]
