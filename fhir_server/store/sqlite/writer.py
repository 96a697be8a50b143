"""The one writer of a process: many commits, one fsync.

1. What an event loop submits in one turn is queued together at its end: till then this thread would
   only contend for the interpreter's lock, and no answer could leave.
2. Commits that wait are taken together: about 100 of them, or about 20 ms of work.
3. The group takes the file lock of all processes, then one transaction.
4. Each commit is decided on what those before it in the group wrote. A refused one leaves no trace.
5. All are answered after the one COMMIT (and its fsync), one wake-up for each event loop.
6. If the disk refuses, nothing of the group is written and all are told Busy; the next group tries
   anew on a new connection. If one commit cannot be stored at all, each is done again by itself.
"""

import asyncio
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from fhir_server.errors import Busy, HubError, Unprocessable
from fhir_server.model import Query, Version, Write
from fhir_server.store.sqlite import schema
from fhir_server.store.sqlite.batch import Batch
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.deadline import Limit, busy, limited
from fhir_server.store.sqlite.lock import FileLock
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.search import Search

MOST_COMMITS = 100
MOST_WRITES = 200
UNLESS_SECONDS = 2.0

_Outcome = list[Version] | Exception


@dataclass(frozen=True, slots=True)
class _Job:
    """A commit that waits, and where its answer is awaited."""

    writes: Sequence[Write]
    again: bool
    future: "asyncio.Future[list[Version]]"
    loop: asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Group:
    """Commits that are written together; `weight` is the number of their writes."""

    jobs: list[_Job] = field(default_factory=list)
    weight: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.jobs) >= MOST_COMMITS or self.weight >= MOST_WRITES

    def add(self, job: _Job) -> None:
        self.jobs.append(job)
        self.weight += len(job.writes)


class Writer:
    """A thread, its queue and its connection."""

    def __init__(
        self,
        path: str,
        names: Names,
        clock: Callable[[], int],
        search: Callable[[Connection, Limit, Query], Search],
    ) -> None:
        """Start the thread; `search` decides the `unless` of a commit."""
        self._search = search
        self._path = path
        self._names = names
        self._clock = clock
        self._coming: dict[asyncio.AbstractEventLoop, _Group] = {}
        self._queue: SimpleQueue[_Group | None] = SimpleQueue()
        self._lock = FileLock(path, schema.WAIT)
        self._connection: Connection | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(
        self, writes: Sequence[Write], again: bool = False
    ) -> "asyncio.Future[list[Version]]":
        """Queue a commit; the future is answered once it is on disk, or refused.

        `again` only finds records by other entries: those whose versions are the latest.
        """
        if self._closed:
            raise Busy("The store is being closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Version]] = loop.create_future()
        if loop not in self._coming:
            self._coming[loop] = _Group()
            loop.call_soon(self._hand_over, loop)
        coming = self._coming[loop]
        coming.add(_Job(writes, again, future, loop))
        if coming.is_full:
            self._hand_over(loop)
        return future

    async def close(self) -> None:
        """Finish the commits that wait and end the thread."""
        if not self._closed:
            self._closed = True
            for loop in tuple(self._coming):
                self._hand_over(loop)
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop in self._coming:
            self._queue.put(self._coming.pop(loop))

    def _run(self) -> None:
        open = True
        while open:
            jobs, open = self._take()
            if jobs:
                _answer(jobs, self._serve(jobs))
        self._forget_connection()
        self._lock.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for commits and take those behind them; False says that no more will come."""
        group = _Group()
        some = self._queue.get()
        while some is not None:
            for job in some.jobs:
                if not job.future.cancelled():
                    group.add(job)
            if group.is_full:
                return group.jobs, True
            try:
                some = self._queue.get_nowait()
            except Empty:
                return group.jobs, True
        return group.jobs, False

    def _serve(self, jobs: Sequence[_Job]) -> Sequence[_Outcome]:
        try:
            with self._lock:
                return self._transaction(jobs)
        except (OverflowError, UnicodeEncodeError) as fault:
            problem: Exception = Unprocessable(f"A value cannot be stored: {fault}")
        except OSError as fault:
            problem = Busy(f"The store cannot write now: {fault}")
        except sqlite3.Error as fault:
            problem = busy("write", fault)
        except Exception as fault:  # this thread's edge: whoever waits is told, the thread lives on
            problem = fault
        self._forget_connection()
        if isinstance(problem, Busy):
            return [Busy(*problem.issues) for _ in jobs]
        if len(jobs) == 1:
            return [problem]
        return [outcome for job in jobs for outcome in self._serve([job])]

    def _transaction(self, jobs: Sequence[_Job]) -> Sequence[_Outcome]:
        if self._connection is None:
            self._connection = schema.connect(self._path, write=True)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        batch = Batch(connection, self._names, self._clock(), self._exists)
        batch.load([job.writes for job in jobs])
        outcomes: list[_Outcome] = []
        for job in jobs:
            try:
                outcomes.append((batch.reindex if job.again else batch.apply)(job.writes))
            except HubError as refusal:
                outcomes.append(refusal)
        batch.flush()
        connection.execute("COMMIT")
        batch.publish()
        return outcomes

    def _exists(self, query: Query) -> bool:
        assert self._connection is not None
        with limited(self._connection, UNLESS_SECONDS) as limit:
            return self._search(self._connection, limit, query).exists()

    def _forget_connection(self) -> None:
        """Close the connection, which rolls back what it had begun."""
        if self._connection is not None:
            with closing(self._connection):
                self._connection = None


def _answer(jobs: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Job, _Outcome]]] = defaultdict(list)
    for job, outcome in zip(jobs, outcomes, strict=True):
        loops[job.loop].append((job, outcome))
    for loop, answers in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: Sequence[tuple[_Job, _Outcome]]) -> None:
    for job, outcome in answers:
        if job.future.done():
            continue
        if isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
