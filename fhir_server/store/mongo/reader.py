"""The reads of one query, all of them of one moment and before one deadline."""

import time
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor

from fhir_server.errors import TooCostly
from fhir_server.model import Value
from fhir_server.store.explanation import Step
from fhir_server.store.mongo import stamps
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.family import Family
from fhir_server.store.mongo.faults import TOO_LATE
from fhir_server.store.mongo.lately import Lately
from fhir_server.store.mongo.stamps import Stamps
from fhir_server.store.mongo.tables import Tables

if TYPE_CHECKING:
    from fhir_server.store.mongo.permits import Permits, Permitted

Keys = Sequence[tuple[str, int]]
FEW = 200
BATCH = 256
Wants = Literal["page", "all", "words"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds records. `now` is what `tree.NOW` stands for; the other side of a join is collected if
    it is at most `many` records, and walked through if it is more; after `end` (of the monotonic
    clock) it is too late."""

    tables: Tables
    session: AsyncClientSession
    now: int
    many: int
    end: float
    counts: Lately[int] = field(default_factory=Lately)
    samples: Lately[tuple[Sequence[Value], float]] = field(default_factory=Lately)
    permits: "Permits | None" = None
    """What is kept between queries; none where what is read may not be committed."""
    wants: Wants = "page"
    """Whether a page is wanted, all that match, or a page and how it was found: for that, what need
    not be counted is counted."""
    patience: float = 0.05
    """Seconds after which a walk is given up for another plan, if there is one."""
    steps: list[Step] = field(default_factory=list)
    """What was decided so far."""
    staged: dict[Hashable, Filter | None] = field(default_factory=dict)
    """What joins mean that were looked at already (None: too many on their other side)."""
    permitted: dict[Family, "Permitted | None"] = field(default_factory=dict)
    """What is kept of the families that were looked at already."""
    stamped: dict[Hashable, Stamps] = field(default_factory=dict)

    @property
    def few(self) -> int:
        """Return below which number records are few: they are found and sorted."""
        return min(FEW, self.many)

    def hurried(self, times: int = 1) -> "Reader":
        """Return a reader for which it is too late as soon as patience ends, so many times."""
        return replace(self, end=min(self.end, time.monotonic() + self.patience * times))

    def find(
        self,
        where: Filter,
        fields: Doc,
        *,
        order: Keys = (),
        limit: int = 0,
        hint: str | None = None,
    ) -> AsyncCursor[Doc]:
        """Return a cursor on the records that satisfy a filter; the index `hint` leads to them.

        The server looks for no more than `BATCH` at a time: somebody may stop before the end.
        """
        cursor = self.tables.records.find(
            where, fields, session=self.session, limit=limit, hint=hint, batch_size=BATCH
        )
        if order:
            cursor = cursor.sort(list(order))
        return cursor.max_time_ms(self.left())

    async def aggregate(
        self, stages: Sequence[Doc], hint: str | None = None
    ) -> AsyncCommandCursor[Doc]:
        """Return a cursor on what a pipeline makes of the records."""
        options: dict[str, Any] = {} if hint is None else {"hint": hint}
        return await self.tables.records.aggregate(
            list(stages),
            session=self.session,
            allowDiskUse=True,
            batchSize=BATCH,
            maxTimeMS=self.left(),
            **options,
        )

    async def count(self, where: Filter, hint: str | None = None, most: int = 0) -> int:
        """Return how many records satisfy a filter; unless it is 0, `most` for so many or more."""
        limit: list[Doc] = [{"$limit": most}] if most else []
        cursor = await self.aggregate([{"$match": where}, *limit, {"$count": "n"}], hint)
        return sum([int(doc["n"]) async for doc in cursor])

    async def stamps(self, type: str, values: tuple[str, ...]) -> Stamps:
        """Return the stamps of some values."""
        known = self.stamped.get((type, values))
        if known is None:
            there = self.tables.stamps
            known = await stamps.found(there, self.session, type, values, self.left())
            self.stamped[type, values] = known
        return known

    async def permits_of(self, family: Family) -> "Permitted | None":
        """Return what is kept of a family, None if nothing is."""
        if self.permits is None:
            return None
        if family not in self.permitted:
            whole = self.wants == "all"
            self.permitted[family] = await self.permits.of(self, family, whole=whole)
        return self.permitted[family]

    def left(self) -> int:
        """Return the milliseconds that are left. Raises TooCostly if there are none."""
        left = int((self.end - time.monotonic()) * 1000)
        if left <= 0:
            raise TooCostly(TOO_LATE)
        return left


async def in_blocks(
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
