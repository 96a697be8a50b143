"""The reads of one query, all of them of one moment and before one deadline."""

import time
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor

from fhir_server.errors import TooCostly
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.faults import TOO_LATE
from fhir_server.store.mongo.names import Names

Keys = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds records. `now` is what `tree.NOW` stands for; fewer than `many` are collected at once,
    more are walked through; after `end` (of the monotonic clock) it is too late."""

    records: AsyncCollection[dict[str, Any]]
    names: Names
    session: AsyncClientSession
    now: int
    many: int
    end: float
    staged: dict[Hashable, Filter | None] = field(default_factory=dict)
    """What joins mean that were looked at already (None: too many on their other side)."""

    def find(
        self, where: Filter, fields: Doc, order: Keys = (), limit: int = 0
    ) -> AsyncCursor[Doc]:
        """Return a cursor on the records that satisfy a filter."""
        cursor = self.records.find(where, fields, session=self.session, limit=limit)
        if order:
            cursor = cursor.sort(list(order))
        return cursor.max_time_ms(self.left())

    async def aggregate(self, stages: Sequence[Doc]) -> AsyncCommandCursor[Doc]:
        """Return a cursor on what a pipeline makes of the records."""
        return await self.records.aggregate(
            list(stages), session=self.session, allowDiskUse=True, maxTimeMS=self.left()
        )

    async def count(self, where: Filter) -> int:
        """Return how many records satisfy a filter."""
        return await self.records.count_documents(
            where, session=self.session, maxTimeMS=self.left()
        )

    def left(self) -> int:
        """Return the milliseconds that are left. Raises TooCostly if there are none."""
        left = int((self.end - time.monotonic()) * 1000)
        if left <= 0:
            raise TooCostly(TOO_LATE)
        return left


async def blocks(
    docs: AsyncGenerator[Doc, None], size: int, most: int
) -> AsyncGenerator[list[Doc], None]:
    """Yield the documents some at a time: `size` at first, then twice as many up to `most`."""
    block: list[Doc] = []
    async with aclosing(docs):
        async for doc in docs:
            block.append(doc)
            if len(block) >= size:
                yield block
                block, size = [], min(size * 2, most)
    if block:
        yield block
