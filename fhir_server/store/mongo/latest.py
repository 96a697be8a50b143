"""Point reads of latest versions, those that wait at the same moment in one query.

A request reads its token, account, role and institution before it reads what it is for; of many
requests most of that is the same. A read that is asked for while a query runs waits for the next
one: it never sees less than what was there when it was asked for.
"""

import asyncio
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.model import Version
from fhir_server.store.mongo import documents
from fhir_server.store.mongo.bodies import Bodies

_MOST = 200
_QUERIES = 2  # of them at the same moment


class Latest:
    """What waits, and the queries that run."""

    def __init__(self, records: AsyncCollection[dict[str, Any]], bodies: Bodies) -> None:
        """Take the collections."""
        self._records = records
        self._bodies = bodies
        self._waiting: dict[str, asyncio.Future[Version | None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, ref: str) -> Version | None:
        """Return the latest version of a record, None if it was never written."""
        found = self._waiting.get(ref)
        if found is None:
            loop = asyncio.get_running_loop()
            found = self._waiting[ref] = loop.create_future()
            if len(self._waiting) == 1:
                loop.call_soon(self._start)
        return await asyncio.shield(found)

    def _start(self) -> None:
        while self._waiting and len(self._running) < _QUERIES:
            refs = list(self._waiting)[:_MOST]
            wanted = {ref: self._waiting.pop(ref) for ref in refs}
            task = asyncio.create_task(self._query(wanted))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._start()

    async def _query(self, wanted: "dict[str, asyncio.Future[Version | None]]") -> None:
        try:
            found = await self._versions(list(wanted))
        except Exception as fault:  # this task's edge: whoever waits is told
            for future in wanted.values():
                future.set_exception(fault)
                future.exception()  # whoever asked may be gone
            return
        for ref, future in wanted.items():
            future.set_result(found.get(ref))

    async def _versions(self, refs: list[str]) -> dict[str, Version]:
        cursor = self._records.find({"_id": {"$in": refs}}, documents.WHOLE)
        docs = await cursor.to_list(None)
        bodies = await self._bodies.read(docs)
        return {
            doc["_id"]: documents.version(documents.key(doc["_id"]), doc, body)
            for doc, body in zip(docs, bodies, strict=True)
        }
