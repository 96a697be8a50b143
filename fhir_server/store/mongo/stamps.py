"""What tells whether records that permit others have changed.

A process keeps whom the grants of an institution permit (`permits`). So a commit that writes,
replaces or deletes such a record leaves its tick with the record's value (the institution), in the
same transaction: a query that finds the same ticks in its moment as there were when something was
found out sees the same records. Each process leaves ticks of its own, one of STRIPES, so that those
who write at the same time do not meet.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.model import Entry

STAMPED: Mapping[str, Collection[str]] = {"grant": ("recipient", "package")}
"""Type of the hub's own -> the parameters whose values have stamps."""
STRIPES = 16

Stamps = Mapping[str, int]
"""The ticks that were left with some values, by the name of the stamp."""


def named(type: str, entries: Iterable[Entry]) -> set[str]:
    """Return the beginnings of the names of the stamps that a record of these entries has."""
    params = STAMPED.get(type, ())
    return {begun(type, str(e.v)) for e in entries if e.param in params and not e.path}


def begun(type: str, value: str) -> str:
    """Return how the names of a value's stamps begin."""
    return f"{type}\x1f{value}\x1f".encode("utf-8", "replace").decode()


def left(names: Iterable[str], stripe: int, tick: int) -> list[UpdateOne]:
    """Return the updates that leave a tick."""
    change = {"$set": {"tick": tick}}
    return [
        UpdateOne({"_id": f"{name}{stripe % STRIPES}"}, change, upsert=True)
        for name in sorted(names)
    ]


async def found(
    stamps: AsyncCollection[dict[str, Any]],
    session: AsyncClientSession,
    type: str,
    values: Sequence[str],
    milliseconds: int,
) -> Stamps:
    """Return the stamps of some values, in the moment that the session reads."""
    names = [f"{begun(type, value)}{stripe}" for value in values for stripe in range(STRIPES)]
    cursor = stamps.find({"_id": {"$in": names}}, session=session)
    return {doc["_id"]: int(doc["tick"]) async for doc in cursor.max_time_ms(milliseconds)}
