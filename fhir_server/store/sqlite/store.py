"""The embedded store. https://www.sqlite.org/wal.html"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fhir_server.model import Change, History, Key, Line, Page, Query, Version, Write
from fhir_server.search.simplify import is_large, simplified
from fhir_server.store import precondition
from fhir_server.store.explanation import Explanation, Step, Total, explained
from fhir_server.store.protocol import Stats
from fhir_server.store.sqlite import export, maintenance, past, rows, schema
from fhir_server.store.sqlite.asked import Asked
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.contained import led
from fhir_server.store.sqlite.counts import Counts
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience, busy
from fhir_server.store.sqlite.names import UNKNOWN, Names
from fhir_server.store.sqlite.permits import Permits
from fhir_server.store.sqlite.plans import Plans
from fhir_server.store.sqlite.present import present
from fhir_server.store.sqlite.readers import Readers
from fhir_server.store.sqlite.runner import Runner, Tuning
from fhir_server.store.sqlite.search import Search
from fhir_server.store.sqlite.writer import Writer

_LATEST = (
    f"SELECT {rows.COLUMNS} FROM record r CROSS JOIN version v WHERE r.ref = ? AND v.seq = r.seq"
)
_ONE = (
    f"SELECT {rows.COLUMNS} FROM record r CROSS JOIN version v "
    "WHERE r.ref = ? AND v.rid = r.rid AND v.vid = ?"
)
_TYPES = (
    "SELECT type FROM param p WHERE name = '' AND EXISTS (SELECT 1 FROM record r "
    "INDEXED BY record_kind WHERE r.kind = p.id AND r.deleted = 0)"
)
_CHANGES = (
    "SELECT v.seq, r.ref, v.vid FROM version v CROSS JOIN record r "
    "WHERE v.seq > ? AND r.rid = v.rid ORDER BY v.seq LIMIT ?"
)
_NUMBER = "SELECT rid FROM record WHERE ref = ?"
_USUAL = Tuning()


@cache
def _vids(count: int) -> str:
    """Return a question for one row: each step to another gives the interpreter's lock away."""
    return f"SELECT {','.join(['(SELECT vid FROM record WHERE ref = ?)'] * count)}"


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is known from other queries; `permits` only where what is read is committed."""

    names: Names
    permits: Permits | None
    counts: Counts


class SQLiteStore:
    """Records in one SQLite file, for all processes of one machine.

    `clock` gives milliseconds since 1970; a query is given up after `query_seconds`. With `fill` it
    must be empty, or be filled already, and nobody else can open it until it is `filled`.
    Raises ValueError if the file is not a store of this version.
    """

    def __init__(
        self,
        path: str,
        clock: Callable[[], int],
        query_seconds: float = 10.0,
        tuning: Tuning = _USUAL,
        *,
        fill: bool = False,
    ) -> None:
        """Open the file, or make it."""
        schema.prepare(path, fill=fill)
        self._path = path
        self._names = Names()
        self._plans = Plans()
        self._memory = _Memory(self._names, Permits(), Counts())
        self._readers = Readers(path, query_seconds)
        self._tuning = tuning
        self._writer = Writer(path, self._names, clock, self._uncommitted)

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        """Return the latest version or version `vid`; inline, since it costs less than a hop."""
        ref = f"{key.type}/{key.id}"
        found = self._inline(_LATEST, ref) if vid is None else self._inline(_ONE, ref, vid)
        return rows.version(key, found[0]) if found else None

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the number of each record's latest version, 0 for none; inline, as a read."""
        [found] = self._inline(_vids(len(keys)), *(f"{key.type}/{key.id}" for key in keys))
        return tuple(vid or 0 for vid in found)

    async def search(self, query: Query) -> Page:
        """Return a page of latest, living versions."""
        return await self._readers.run(lambda c, limit: self._read(c, limit, query).page())

    async def count(self, query: Query) -> int:
        """Return how many living records match."""
        return await self._readers.run(lambda c, limit: self._read(c, limit, query).count())

    async def estimate(self, query: Query) -> Total:
        """Return about how many living records match."""
        return await self._readers.run(lambda c, limit: self._read(c, limit, query).estimate())

    async def explain(self, query: Query) -> Explanation:
        """Find a page and the count, and tell how."""
        steps: list[Step] = []

        def page(connection: Connection, limit: Limit) -> Page:
            memory = replace(self._memory, counts=Counts())  # told are those of this moment
            search = self._search(connection, limit, query, memory)
            try:
                return search.page()
            finally:
                steps[:] = search.steps

        return await explained(query, lambda _: self._readers.run(page), self.count, steps)

    async def types(self) -> frozenset[str]:
        """Return the types of which a living record is there."""
        return frozenset(type for (type,) in self._inline(_TYPES))

    async def history(self, history: History) -> list[Version]:
        """Return versions, tombstones included."""
        return await self._readers.run(
            lambda connection, _: past.versions(connection, self._names, history)
        )

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Write all or nothing; answered after the fsync."""
        precondition.once(writes)
        return await self._writer.submit(writes) if writes else []

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the change feed after sequence number `after`."""
        found = self._inline(_CHANGES, after, limit)
        return [Change(seq, rows.key(ref), vid) for seq, ref, vid in found]

    async def close(self) -> None:
        """Finish the commits that wait, then close the file."""
        await self._writer.close()
        await self._readers.close()

    async def check(self) -> list[str]:
        """Return every inconsistency found; takes as long as it takes."""
        return await maintenance.run(self._path, maintenance.check)

    async def stats(self) -> Stats:
        """Return counts and the file's size."""
        return await maintenance.run(self._path, maintenance.stats)

    async def reindex(self, writes: Sequence[Write]) -> int:
        """Find records by other entries; their versions stay."""
        return len(await self._writer.submit(writes, again=True)) if writes else 0

    async def scan(self, type: str | None = None, after: str = "") -> AsyncIterator[Version]:
        """Yield all latest, living versions, of one type or of all, some hundreds at a time."""
        start = self._inline(_NUMBER, f"{type}/{after}") if type and after else []
        chunk = await self._chunk(type, start[0][0] if start else 0)
        while chunk:
            for _, version in chunk:
                yield version
            chunk = await self._chunk(type, chunk[-1][0])

    async def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield all versions behind a sequence number in the order of the change feed."""
        while lines := await self._lines(after):
            for line in lines:
                yield line
            after = lines[-1].seq

    async def filled(self) -> None:
        """Let the file be opened as any other."""
        schema.filled(self._path)

    async def _lines(self, after: int) -> list[Line]:
        return await self._readers.run(lambda c, _: export.lines(c, after))

    async def _chunk(self, type: str | None, after: int) -> list[tuple[int, Version]]:
        return await self._readers.run(lambda c, _: maintenance.chunk(c, type, after))

    def _uncommitted(self, connection: Connection, limit: Limit, query: Query) -> Search:
        """Ask within a transaction that may still be undone: nothing of it is kept."""
        return self._search(connection, limit, query, _Memory(Names(self._names), None, Counts()))

    def _read(self, connection: Connection, limit: Limit, query: Query) -> Search:
        if limit.is_brief and is_large(query.where):
            raise OutOfPatience  # to put it together takes longer than the event loop may stand
        return self._search(connection, limit, query, self._memory)

    def _search(
        self, connection: Connection, limit: Limit, query: Query, memory: _Memory
    ) -> Search:
        names = memory.names

        def known(type: str, param: str) -> bool:
            return names.param(connection, type, param) != UNKNOWN

        where = simplified(led(query.where, query.type, known))
        where = present(connection, names, query.type, where)
        asked = Asked(connection, names, replace(query, where=where), memory.counts)
        return Search(Runner(asked, self._plans, limit, self._tuning), memory.permits)

    def _inline(self, sql: str, *values: int | str) -> list[tuple[Any, ...]]:
        try:
            return self._readers.turn().execute(sql, values).fetchall()
        except sqlite3.OperationalError as fault:
            raise busy("read", fault) from None
