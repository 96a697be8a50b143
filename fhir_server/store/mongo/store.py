"""The store on MongoDB. docs/store.md"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pymongo import AsyncMongoClient

from fhir_server.model import Change, History, Key, Line, Page, Query, Value, Version, Write
from fhir_server.search.simplify import simplified
from fhir_server.store import precondition
from fhir_server.store.explanation import Explanation, Step, Total, explained
from fhir_server.store.mongo import (
    documents,
    export,
    feed,
    maintenance,
    past,
    replica,
    schema,
    search,
)
from fhir_server.store.mongo.estimate import estimate
from fhir_server.store.mongo.faults import told
from fhir_server.store.mongo.lately import Lately
from fhir_server.store.mongo.latest import Latest
from fhir_server.store.mongo.openings import Openings
from fhir_server.store.mongo.permits import Permits
from fhir_server.store.mongo.reader import Reader, Wants
from fhir_server.store.mongo.sorting import MAIN
from fhir_server.store.mongo.tables import tables
from fhir_server.store.mongo.ticks import Ticks
from fhir_server.store.mongo.writer import Writer
from fhir_server.store.protocol import Stats

_OPTIONS: dict[str, Any] = {
    "appname": "fhir-hub",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 30_000,
    "retryReads": True,
    "retryWrites": True,
}


class MongoStore:
    """Records in a MongoDB database, for all processes of all hosts.

    `clock` gives milliseconds since 1970; a query is given up after `query_seconds`. The other side
    of a join is collected if it is at most `many` records; a walk that takes longer than `patience`
    seconds is given up where there is another plan. With `fill` it must be empty, or be
    filled already, and nobody else can open it until it is `filled`. Raises ValueError if the URL
    does not lead to a replica set that can keep the store.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], int],
        query_seconds: float = 10.0,
        many: int = 1000,
        *,
        patience: float = 0.05,
        fill: bool = False,
    ) -> None:
        """Make the database ready; nothing else is done before the first use."""
        process = schema.prepare(url, fill=fill)
        given = url.lower()
        options = {name: value for name, value in _OPTIONS.items() if name.lower() not in given}
        options |= replica.NEWEST
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, **options)
        self._tables = tables(self._client, schema.DATABASE)
        self._latest = Latest(self._tables.records)
        self._seconds = query_seconds
        self._many = many
        self._patience = patience
        self._counts: Lately[int] = Lately()
        self._samples: Lately[tuple[Sequence[Value], float]] = Lately()
        self._permits = Permits()
        self._openings = Openings()
        self._writer = Writer(self._tables, Ticks(clock, process), clock, process, many)

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        """Return the latest version or version `vid`."""
        ref = str(key)
        with told("read"):
            doc = await self._latest.read(ref)
            if doc is not None and vid is not None and vid != doc["vid"]:
                doc = await self._tables.versions.find_one({"_id": {"k": ref, "v": vid}})
            return None if doc is None else (await self._versions(key, [doc]))[0]

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the number of each record's latest version, 0 for none."""
        with told("read"):
            docs = await asyncio.gather(*(self._latest.read(str(key)) for key in keys))
            return tuple(0 if doc is None else doc["vid"] for doc in docs)

    async def search(self, query: Query) -> Page:
        """Return a page of latest, living versions."""
        with told("read"):
            async with self._reader(query) as reader:
                bodies = self._tables.bodies
                return await search.page(reader, bodies, self._plain(query), MAIN.get(query.type))

    async def count(self, query: Query) -> int:
        """Return how many living records match."""
        with told("read"):
            async with self._reader(query, wants="all") as reader:
                return await search.total(reader, self._plain(query))

    async def estimate(self, query: Query) -> Total:
        """Return about how many living records match."""
        with told("read"):
            async with self._reader(query) as reader:
                return await estimate(reader, self._plain(query))

    async def explain(self, query: Query) -> Explanation:
        """Find a page and the count, and tell how."""
        steps: list[Step] = []

        async def page(query: Query) -> Page:
            async with self._reader(query, wants="words") as reader:
                bodies = self._tables.bodies
                found = await search.page(reader, bodies, self._plain(query), MAIN.get(query.type))
                steps.extend(reader.steps)
                return found

        with told("read"):
            return await explained(query, page, self.count, steps)

    async def types(self) -> frozenset[str]:
        """Return the types of which a living record is there."""
        with told("read"):
            return frozenset(await self._tables.records.distinct("t", {"t": {"$ne": None}}))

    async def history(self, history: History) -> list[Version]:
        """Return versions, tombstones included."""
        with told("read"):
            async with self._client.start_session(snapshot=True) as session:
                found = await past.versions(self._tables, session, history)
            bodies = await self._tables.bodies.read([doc for _, doc in found])
            return [
                documents.version(documents.key(ref), doc, body)
                for (ref, doc), body in zip(found, bodies, strict=True)
            ]

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Write all or nothing; answered once it is on the disks of most members."""
        precondition.once(writes)
        return await self._writer.submit(writes) if writes else []

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the change feed after sequence number `after`."""
        with told("read"):
            return await feed.changes(self._tables, after, limit)

    async def close(self) -> None:
        """Finish the commits that wait, then close all connections."""
        await self._writer.close()
        await self._client.close()

    async def check(self) -> list[str]:
        """Return every inconsistency found; takes as long as it takes."""
        with told("read"):
            return await maintenance.check(self._tables)

    async def stats(self) -> Stats:
        """Return counts and the size on disk."""
        with told("read"):
            return await maintenance.stats(self._tables)

    async def reindex(self, writes: Sequence[Write]) -> int:
        """Find records by other entries; their versions stay."""
        return len(await self._writer.submit(writes, again=True)) if writes else 0

    async def scan(self, type: str | None = None, after: str = "") -> AsyncIterator[Version]:
        """Yield all latest, living versions, of one type or of all, some hundreds at a time."""
        last = f"{type}/{after}" if type and after else ""
        while True:
            with told("read"):
                docs = await maintenance.chunk(self._tables, type, last)
                bodies = await self._tables.bodies.read(docs)
            for doc, body in zip(docs, bodies, strict=True):
                last = doc["_id"]
                yield documents.version(documents.key(last), doc, body)
            if not docs:
                return

    async def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield all versions behind a sequence number in the order of the change feed."""
        with told("read"):
            async for line in export.lines(self._tables, after):
                yield line

    async def filled(self) -> None:
        """Let the database be opened as any other."""
        with told("write"):
            await self._tables.meta.delete_one({"_id": schema.FILLING})

    async def _versions(self, key: Key, docs: Sequence[documents.Doc]) -> list[Version]:
        bodies = await self._tables.bodies.read(docs)
        return [documents.version(key, doc, body) for doc, body in zip(docs, bodies, strict=True)]

    @asynccontextmanager
    async def _reader(self, query: Query, *, wants: Wants = "page") -> AsyncIterator[Reader]:
        """A reader of one moment."""
        end = time.monotonic() + self._seconds
        async with self._client.start_session(snapshot=True) as session:
            yield Reader(
                self._tables,
                session,
                query.now,
                self._many,
                end,
                self._counts,
                self._samples,
                self._permits,
                wants,
                self._patience,
            )

    def _plain(self, query: Query) -> Query:
        return replace(query, where=simplified(self._openings.gathered(query.where)))
