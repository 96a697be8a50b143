"""Which processes write, so that what a dead one left open is closed.

The transaction of a process that was killed stays open for a minute, and keeps others from what it
touched. So a process tells from time to time under which session it writes, and whoever meets a
conflict that does not pass ends the sessions of those that have told nothing for some seconds. One
that only slept starts its transaction again.
"""

import time
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from fhir_server.store.mongo.tables import Tables

TELLS_AFTER = 1.0
DEAD_AFTER_MS = 5_000


class Presence:
    """What one process tells of itself."""

    def __init__(self, tables: Tables, process: int) -> None:
        """Take the process's number."""
        self._tables = tables
        self._name = f"writer/{process}"
        self._told = 0.0
        self._session_id: Any = None

    async def tell(self, session: AsyncClientSession) -> None:
        """Tell that the process lives and under which session it writes, if it is time to."""
        now = time.monotonic()
        if self._session_id == session.session_id and now - self._told < TELLS_AFTER:
            return
        self._session_id, self._told = session.session_id, now
        await self._tables.meta.update_one(
            {"_id": self._name},
            {"$set": {"session": dict(session.session_id)}, "$currentDate": {"at": True}},
            upsert=True,
        )

    async def end_the_dead(self) -> None:
        """End the sessions of processes that have told nothing for some seconds."""
        silent = {"$lt": ["$at", {"$subtract": ["$$NOW", DEAD_AFTER_MS]}]}
        where = {"_id": {"$gt": "writer/", "$lt": "writer0"}, "$expr": silent}
        try:
            async for doc in self._tables.meta.find(where):
                await self._tables.client.admin.command("killSessions", [doc["session"]])
                await self._tables.meta.delete_one({"_id": doc["_id"], "at": doc["at"]})
        except PyMongoError:  # the minute will end them
            return

    async def leave(self) -> None:
        """Tell that the process writes no more."""
        try:
            await self._tables.meta.delete_one({"_id": self._name})
        except PyMongoError:  # silence tells it too
            return
