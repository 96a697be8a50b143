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
from fhir_server.store.explanation import Step
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.counts import Counts
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.faults import TOO_LATE
from fhir_server.store.mongo.names import Names

Keys = Sequence[tuple[str, int]]
FEW = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds records. `now` is what `tree.NOW` stands for; the other side of a join is collected if
    it is at most `many` records, and walked through if it is more; after `end` (of the monotonic
    clock) it is too late."""

    records: AsyncCollection[dict[str, Any]]
    names: Names
    session: AsyncClientSession
    now: int
    many: int
    end: float
    counts: Counts = field(default_factory=Counts)
    tells: bool = False
    """Whether somebody wants to know how it goes: what need not be counted is counted for it."""
    steps: list[Step] = field(default_factory=list)
    """What was decided so far."""
    staged: dict[Hashable, Filter | None] = field(default_factory=dict)
    """What joins mean that were looked at already (None: too many on their other side)."""

    @property
    def few(self) -> int:
        """Return below which number records are few: they are found and sorted."""
        return min(FEW, self.many)

    def find(
        self,
        where: Filter,
        fields: Doc,
        *,
        order: Keys = (),
        limit: int = 0,
        hint: str | None = None,
    ) -> AsyncCursor[Doc]:
        """Return a cursor on the records that satisfy a filter; the index `hint` leads to them."""
        cursor = self.records.find(where, fields, session=self.session, limit=limit, hint=hint)
        if order:
            cursor = cursor.sort(list(order))
        return cursor.max_time_ms(self.left())

    async def aggregate(
        self, stages: Sequence[Doc], hint: str | None = None
    ) -> AsyncCommandCursor[Doc]:
        """Return a cursor on what a pipeline makes of the records."""
        options: dict[str, Any] = {} if hint is None else {"hint": hint}
        return await self.records.aggregate(
            list(stages),
            session=self.session,
            allowDiskUse=True,
            maxTimeMS=self.left(),
            **options,
        )

    async def count(self, where: Filter, hint: str | None = None) -> int:
        """Return how many records satisfy a filter."""
        return await self._counted([{"$match": where}], hint)

    async def some(self, where: Filter, hint: str, most: int) -> int:
        """Return how many records satisfy a filter, `most` for so many or more."""
        return await self._counted([{"$match": where}, {"$limit": most}], hint)

    async def _counted(self, stages: Sequence[Doc], hint: str | None) -> int:
        cursor = await self.aggregate([*stages, {"$count": "n"}], hint)
        return sum([int(doc["n"]) async for doc in cursor])

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
