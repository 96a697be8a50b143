"""The change feed: every commit leaves a line, and a line gets its numbers once it is visible.

Numbers given inside of a transaction would become visible in another order than they were given.
So whoever reads the feed first numbers, in a transaction of its own, the lines that have none yet,
in the order of their ticks. What becomes visible later gets a higher number, always.
"""

from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from fhir_server.model import Change
from fhir_server.store.mongo import faults
from fhir_server.store.mongo.documents import key
from fhir_server.store.mongo.tables import DURABLE, Tables

_SOME = 500
_ATTEMPTS = 20


async def changes(tables: Tables, after: int, limit: int) -> list[Change]:
    """Return the changes after a number, in order."""
    await _number_all(tables)
    found: list[Change] = []
    cursor = tables.commits.find({"z": {"$gt": after}}).sort("z", 1).limit(max(limit, 1))
    async for line in cursor:
        found += (change for change in _changes(line) if change.seq > after)
        if len(found) >= limit:
            break
    return found[:limit]


def _changes(line: dict[str, Any]) -> list[Change]:
    first = int(line["z"]) - len(line["k"]) + 1
    return [Change(seq, key(ref), vid) for seq, (ref, vid) in enumerate(line["k"], first)]


async def _number_all(tables: Tables) -> None:
    """Number all lines that are visible. Another process that does the same may be faster."""
    attempts = 0
    while await tables.commits.find_one({"z": None}, {"_id": 1}) is not None:
        try:
            async with tables.client.start_session() as session:
                await session.start_transaction(ReadConcern("snapshot"), DURABLE)
                await _number_some(tables, session)
                await session.commit_transaction()
        except PyMongoError as fault:
            attempts += 1
            if attempts > _ATTEMPTS or not faults.is_passing(fault):
                raise


async def _number_some(tables: Tables, session: AsyncClientSession) -> None:
    cursor = tables.commits.find({"z": None}, session=session).sort("_id", 1).limit(_SOME)
    lines = await cursor.to_list(None)
    total = sum(len(line["k"]) for line in lines)
    before = await tables.meta.find_one_and_update(
        {"_id": "feed"}, {"$inc": {"value": total}}, session=session
    )
    assert before is not None
    number = int(before["value"])
    updates = []
    for line in lines:
        number += len(line["k"])
        updates.append(UpdateOne({"_id": line["_id"]}, {"$set": {"z": number}}))
    if updates:
        await tables.commits.bulk_write(updates, session=session)
