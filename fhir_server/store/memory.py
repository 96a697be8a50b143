"""A store in this process's memory: for tests, trials and `memory://`.

Same order, same preconditions, same history as on disk; nothing survives the process.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace

from fhir_server.errors import TooCostly
from fhir_server.model import (
    DEFINITIONS,
    Change,
    History,
    Key,
    Line,
    Page,
    Place,
    Query,
    Version,
    Write,
)
from fhir_server.search.evaluate import evaluate
from fhir_server.search.simplify import hastened, simplified
from fhir_server.store import order, past, precondition
from fhir_server.store.explanation import Explanation, Step, Total, explained
from fhir_server.store.living import Held, Living
from fhir_server.store.protocol import Stats


class MemoryStore:
    """Records in dictionaries. `clock` gives milliseconds since 1970; a query is given up after
    `query_seconds`."""

    def __init__(self, clock: Callable[[], int], query_seconds: float = 10.0) -> None:
        """Start empty."""
        self._clock = clock
        self._seconds = query_seconds
        self._living = Living()
        self._versions: dict[Key, list[Version]] = {}
        self._numbers: dict[Key, int] = {}
        self._patients: dict[str, int] = {}
        self._changes: list[Change] = []

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        """Return the latest version or version `vid`."""
        versions = self._versions.get(key, [])
        if vid is None:
            return versions[-1] if versions else None
        return versions[vid - 1] if 0 < vid <= len(versions) else None

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the number of each record's latest version, 0 for none."""
        return tuple(len(self._versions.get(key, ())) for key in keys)

    async def search(self, query: Query) -> Page:
        """Return a page of latest, living versions."""
        rank = order.place_key(query.sort)
        found = sorted(
            ((self._place(query, r), r) for r in self._matching(query)),
            key=lambda pair: rank(pair[0]),
        )
        if query.back:
            found.reverse()
        if query.after is not None:
            start = rank(query.after)
            met = [
                pair
                for pair in found
                if (rank(pair[0]) < start if query.back else start < rank(pair[0]))
            ]
        else:
            met = found
        page = order.turned(met, query.limit, back=query.back)
        places = tuple(place for place, _ in page)
        onward = order.onward(places, more=len(met) > len(page), back=query.back)
        return Page(tuple(r.version for _, r in page), places, onward)

    async def count(self, query: Query) -> int:
        """Return how many living records match."""
        return sum(1 for _ in self._matching(query))

    async def estimate(self, query: Query) -> Total:
        """Count."""
        return Total(await self.count(query))

    async def explain(self, query: Query) -> Explanation:
        """Find a page and the count, and tell how."""
        candidates = self._living.candidates(query.type, query.where)
        step = Step("all", query.type, rows=len(candidates))
        return await explained(query, self.search, self.count, [step])

    async def types(self) -> frozenset[str]:
        """Return the types of which a living record is there."""
        return frozenset(type for type, shelf in self._living.types.items() if shelf)

    async def history(self, history: History) -> list[Version]:
        """Return versions, tombstones included."""
        return past.versions(self._changes, self._versions, history)

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Write all or nothing."""
        precondition.once(writes)
        for write in writes:
            precondition.indexed_by(write, self._vid(DEFINITIONS))
            last = self._last(write.key)
            precondition.expected(
                write, last.vid if last else 0, last is not None and last.body is not None
            )
            if write.unless is not None:
                precondition.unmatched(write, any(True for _ in self._matching(write.unless)))
        now = self._clock()
        return [self._write(write, now) for write in writes]

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the change feed after sequence number `after`."""
        return self._changes[max(after, 0) :][:limit]

    async def close(self) -> None:
        """Do nothing: no commit ever waits."""

    async def check(self) -> list[str]:
        """Return nothing: there is no disk that could disagree with itself."""
        return []

    async def stats(self) -> Stats:
        """Return counts, and the size of all bodies."""
        counts = {type: len(shelf) for type, shelf in sorted(self._living.types.items()) if shelf}
        bodies = (v.body or b"" for versions in self._versions.values() for v in versions)
        return Stats(counts, sum(map(len, bodies)))

    async def scan(self, type: str | None = None, after: str = "") -> AsyncIterator[Version]:
        """Yield all latest, living versions, of one type or of all, as they are at the start."""
        shelves = [s for t, s in self._living.types.items() if type in (None, t)]
        records = [record for shelf in shelves for record in shelf.values()]
        start = self._numbers[Key(type, after)] if type and after else 0
        for record in sorted(records, key=lambda record: record.number):
            if record.number > start:
                yield record.version

    async def reindex(self, writes: Sequence[Write]) -> int:
        """Find records by other entries; their versions stay."""
        for write in writes:
            precondition.indexed_by(write, self._vid(DEFINITIONS))
        return sum(map(self._reindex, writes))

    async def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield all versions behind a sequence number in the order of the change feed."""
        while after < len(self._changes):  # what comes meanwhile too
            change = self._changes[after]
            yield self._line(change)
            after += 1

    async def filled(self) -> None:
        """Do nothing: nobody else can open it."""

    def _line(self, change: Change) -> Line:
        """Return a version with what it is found by, if it is the latest one."""
        seq, key, vid = change.seq, change.key, change.vid
        version = self._versions[key][vid - 1]
        if vid < len(self._versions[key]):
            return Line(seq, version)
        record = self._living.types[key.type].get(key)
        return Line(seq, version, record.entries, record.text) if record else Line(seq, version, ())

    def _last(self, key: Key) -> Version | None:
        versions = self._versions.get(key)
        return versions[-1] if versions else None

    def _matching(self, query: Query) -> Iterable[Held]:
        """Yield what matches. Raises `TooCostly` past the time limit."""
        end = time.monotonic() + self._seconds
        where = simplified(query.where)
        asked = hastened(where)
        for record in self._living.candidates(query.type, where).values():
            if time.monotonic() > end:
                raise TooCostly("The query takes too long; ask for less")
            if evaluate(asked, record, self._living, query.now):
                yield record

    @staticmethod
    def _place(query: Query, record: Held) -> Place:
        values = (
            order.value(s, record.key.id, record.updated, record.entries, record.text)
            for s in query.sort
        )
        return (*values, record.patient, record.number)

    def _write(self, write: Write, now: int) -> Version:
        last = self._last(write.key)
        now = now if write.at is None else write.at
        vid, updated = (last.vid + 1, max(now, last.updated + 1)) if last else (1, now)
        version = Version(
            write.key, vid, updated, write.body, write.method, write.auth, write.patients
        )
        number = self._numbers.setdefault(write.key, len(self._numbers) + 1)
        patient = self._patient(write.patients)
        self._versions.setdefault(write.key, []).append(version)
        self._changes.append(Change(len(self._changes) + 1, write.key, vid))
        self._living.remove(write.key)
        if write.body is not None:
            self._living.put(Held(number, patient, version, write.entries, write.text))
        return version

    def _reindex(self, write: Write) -> bool:
        record = self._living.types[write.key.type].get(write.key)
        if record is None or record.version.vid != write.expect:
            return False
        version = replace(record.version, auth=write.auth, patients=write.patients)
        self._versions[write.key][-1] = version
        self._living.remove(write.key)
        patient = self._patient(write.patients)
        self._living.put(Held(record.number, patient, version, write.entries, write.text))
        return True

    def _vid(self, key: Key) -> int:
        last = self._last(key)
        return last.vid if last else 0

    def _patient(self, patients: Sequence[str]) -> int:
        numbers = {self._patients.setdefault(p, len(self._patients) + 1) for p in patients}
        return order.several(numbers)
