"""The one writer of a process: many commits, one fsync.

1. Commits that wait are taken together: at most 100 of them, or about 20 ms of work.
2. The group takes the file lock of all processes, then one transaction.
3. Each commit is decided on what those before it in the group wrote. A refused one leaves no trace.
4. All are answered after the one COMMIT (and its fsync), one wake-up for each event loop.
5. If the disk refuses, nothing of the group is written and all are told Busy; the next group tries
   anew on a new connection. If one commit cannot be stored at all, each is done again by itself.
"""

import asyncio
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
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
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
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
        self._queue.put(_Job(writes, again, future, loop))
        return future

    async def close(self) -> None:
        """Finish the commits that wait and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        open = True
        while open:
            jobs, open = self._take()
            if jobs:
                _answer(jobs, self._serve(jobs))
        self._forget_connection()
        self._lock.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a commit and take those behind it; False says that no more will come."""
        jobs: list[_Job] = []
        job = self._queue.get()
        weight = 0
        while job is not None:
            if not job.future.cancelled():
                jobs.append(job)
                weight += len(job.writes)
            if weight >= MOST_WRITES or len(jobs) >= MOST_COMMITS:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

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
