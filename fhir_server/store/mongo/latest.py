"""Point reads of latest versions, those that wait at the same moment in one query.

A request reads its token, account, role and institution before it reads what it is for; of many
requests most of that is the same. A read that is asked for while a query runs waits for the next
one: it never sees less than what was there when it was asked for.
"""

import asyncio
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.store.mongo.documents import WHOLE, Doc

_LONGEST_MS = 10_000

_Found = asyncio.Future[Doc | None]


class Latest:
    """What waits, and the one query that runs."""

    def __init__(self, records: AsyncCollection[dict[str, Any]]) -> None:
        """Take the collection."""
        self._records = records
        self._waiting: dict[str, _Found] = {}
        self._task: asyncio.Task[None] | None = None

    async def read(self, ref: str) -> Doc | None:
        """Return the document of a record's latest version, None if it was never written."""
        found = self._waiting.get(ref)
        if found is None:
            found = self._waiting[ref] = asyncio.get_running_loop().create_future()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run())
        return await asyncio.shield(found)

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever was just answered asks for the next thing
            wanted, self._waiting = self._waiting, {}
            await self._query(wanted)

    async def _query(self, wanted: dict[str, _Found]) -> None:
        try:
            cursor = self._records.find({"_id": {"$in": list(wanted)}}, WHOLE)
            docs = {doc["_id"]: doc async for doc in cursor.max_time_ms(_LONGEST_MS)}
        except Exception as fault:  # this task's edge: whoever waits is told
            for future in wanted.values():
                future.set_exception(fault)
                future.exception()  # whoever asked may be gone
            return
        for ref, future in wanted.items():
            future.set_result(docs.get(ref))
