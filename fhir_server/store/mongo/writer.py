"""The one writer of a process: many commits, one transaction.

1. Commits that wait are taken together: at most 100 of them, or about 200 writes.
2. The transaction first touches the claims of all of them, in order; then each commit is decided on
   what those before it wrote. A refused one leaves no trace.
3. All are answered once the transaction is on the disks of most members.
4. A transaction that meets another one starts again, a bounded number of times, each time after a
   longer pause; so does one that an election interrupts. Whether a commit whose answer was lost
   took effect is asked until the database tells.
5. The first attempt does not look for records that are all expected to be new.
6. What goes on failing is Busy. If one commit cannot be stored at all, each is done by itself.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern

from fhir_server.errors import Busy, HubError, TooCostly
from fhir_server.model import Query, Version, Write
from fhir_server.store.mongo import faults
from fhir_server.store.mongo.batch import Batch
from fhir_server.store.mongo.claims import claims
from fhir_server.store.mongo.presence import Presence
from fhir_server.store.mongo.reader import Reader
from fhir_server.store.mongo.search import exists
from fhir_server.store.mongo.tables import DURABLE, Tables
from fhir_server.store.mongo.ticks import Ticks

MOST_COMMITS = 100
MOST_WRITES = 200
SECONDS = 8.0
UNKNOWN_SECONDS = 20.0
UNLESS_SECONDS = 2.0
_PAUSE, _LONGEST = 0.002, 0.25

_Outcome = list[Version] | Exception
_LOST = "UnknownTransactionCommitResult"


class _Unlucky(Exception):
    """One commit of the group is refused for a reason that ends the transaction."""

    def __init__(self, place: int, fault: HubError) -> None:
        super().__init__(place)
        self.place = place
        self.fault = fault


class _Unknown(Exception):
    """Nobody can tell whether the transaction was committed."""


@dataclass(slots=True)
class _Job:
    """A commit that waits, since when, and where its answer is awaited."""

    writes: Sequence[Write]
    again: bool
    future: "asyncio.Future[list[Version]]"
    since: float = field(default_factory=time.monotonic)


class Writer:
    """A queue, and the task that empties it while there is something in it."""

    def __init__(
        self,
        tables: Tables,
        ticks: Ticks,
        clock: Callable[[], int],
        process: int,
        many: int,
    ) -> None:
        """Take what commits are made of, and the process's number."""
        self._tables = tables
        self._ticks = ticks
        self._clock = clock
        self._stripe = process
        self._presence = Presence(tables, process)
        self._many = many
        self._queue: deque[_Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._session: AsyncClientSession | None = None
        self._closed = False

    async def submit(self, writes: Sequence[Write], again: bool = False) -> list[Version]:
        """Queue a commit and return once it is on disk, or refused.

        `again` only finds records by other entries: those whose versions are the latest.
        """
        if self._closed:
            raise Busy("The store is being closed")
        job = _Job(writes, again, asyncio.get_running_loop().create_future())
        self._queue.append(job)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await job.future

    async def close(self) -> None:
        """Finish the commits that wait."""
        self._closed = True
        if self._task is not None:
            await self._task
        if self._session is not None:
            await self._presence.leave()
            await self._session.end_session()

    async def _run(self) -> None:
        while self._queue:
            await asyncio.sleep(0)  # whoever is about to commit joins the group
            jobs = self._take()
            outcomes = await self._served(jobs)
            for job, outcome in zip(jobs, outcomes, strict=True):
                _settle(job, outcome)

    def _take(self) -> list[_Job]:
        jobs: list[_Job] = []
        weight = 0
        while self._queue and len(jobs) < MOST_COMMITS and weight < MOST_WRITES:
            job = self._queue.popleft()
            if job.future.done():
                continue
            if time.monotonic() - job.since > SECONDS:
                job.future.set_exception(Busy("The store cannot write now: too many wait"))
                continue
            jobs.append(job)
            weight += len(job.writes)
        return jobs

    async def _served(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        if not jobs:
            return []
        try:
            return await self._group(jobs)
        except _Unknown:
            words = "The database does not tell whether this was written; look before you repeat it"
            return [Busy(words) for _ in jobs]
        except HubError as fault:
            return [type(fault)(*fault.issues) for _ in jobs]
        except Exception as fault:  # this task's edge: whoever waits is told, the writer lives on
            if len(jobs) == 1:
                return [fault]
        return [outcome for job in jobs for outcome in await self._served([job])]

    async def _group(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        """Return the outcomes; jobs that end a transaction are left out of the next one."""
        refused: dict[int, HubError] = {}
        while True:
            left = [place for place in range(len(jobs)) if place not in refused]
            try:
                found = await self._repeated([jobs[place] for place in left])
            except _Unlucky as one:
                refused[left[one.place]] = one.fault
                continue
            outcomes = dict(zip(left, found, strict=True))
            return [refused.get(place) or outcomes[place] for place in range(len(jobs))]

    async def _repeated(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        end = time.monotonic() + SECONDS
        pause = _PAUSE
        trusting = not any(job.again for job in jobs)
        while True:
            try:
                return await self._transaction(jobs, trusting=trusting)
            except PyMongoError as fault:
                if not (faults.is_passing(fault) or (trusting and faults.is_taken(fault))):
                    raise
                await self._pass(fault, end)
            trusting = False
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(pause * 2, _LONGEST)
            if pause == _LONGEST:
                await self._presence.end_the_dead()

    async def _pass(self, fault: PyMongoError, end: float) -> None:
        """Make ready for another attempt. Raises Busy where it is too late for one."""
        if isinstance(fault, ConnectionFailure) and self._session is not None:
            await self._session.end_session()
            self._session = None
        if time.monotonic() > end:
            raise Busy(f"The store cannot write now: {type(fault).__name__}")

    async def _transaction(self, jobs: Sequence[_Job], *, trusting: bool) -> list[_Outcome]:
        if not jobs:
            return []
        session = self._session = self._session or self._tables.client.start_session()
        await self._presence.tell(session)
        await session.start_transaction(ReadConcern("snapshot"), DURABLE)
        try:
            batch, outcomes = await self._applied(session, jobs, trusting=trusting)
        except BaseException:
            await _abort(session)
            raise
        if batch.written or batch.reindexed:
            await _commit(session)
            self._tables.names.learn(batch.patients)
        else:
            await _abort(session)
        return outcomes

    async def _applied(
        self, session: AsyncClientSession, jobs: Sequence[_Job], *, trusting: bool
    ) -> tuple[Batch, list[_Outcome]]:
        await self._claim(session, jobs)

        async def found(query: Query) -> bool:
            return await self._exists(session, query)

        batch = Batch(self._tables, session, self._ticks, self._clock(), found, self._stripe)
        await batch.load([job.writes for job in jobs], trusting=trusting)
        outcomes: list[_Outcome] = []
        for place, job in enumerate(jobs):
            try:
                apply = batch.reindex if job.again else batch.apply
                outcomes.append(await apply(job.writes))
            except TooCostly as fault:
                raise _Unlucky(place, fault) from None
            except HubError as refusal:
                outcomes.append(refusal)
        if batch.written:
            await batch.finish(self._ticks.next())
        return batch, outcomes

    async def _claim(self, session: AsyncClientSession, jobs: Sequence[_Job]) -> None:
        touch = {"$inc": {"n": 1}, "$currentDate": {"at": True}}
        names = claims((job.writes for job in jobs), self._stripe)
        updates = [UpdateOne({"_id": name}, touch, upsert=True) for name in names]
        if updates:
            await self._tables.claims.bulk_write(updates, session=session)

    async def _exists(self, session: AsyncClientSession, query: Query) -> bool:
        end = time.monotonic() + UNLESS_SECONDS
        reader = Reader(self._tables, session, query.now, self._many, end)
        try:
            return await exists(reader, query)
        except ExecutionTimeout:
            raise TooCostly(faults.TOO_LATE) from None


async def _commit(session: AsyncClientSession) -> None:
    """Commit. Raises `_Unknown` if the database does not tell in time whether it did."""
    end = time.monotonic() + UNKNOWN_SECONDS
    while True:
        try:
            await session.commit_transaction()
            return
        except PyMongoError as fault:
            if not fault.has_error_label(_LOST):
                raise
            if time.monotonic() > end:
                raise _Unknown from None
        await asyncio.sleep(random.uniform(0, _LONGEST))


async def _abort(session: AsyncClientSession) -> None:
    """Let go of the transaction; the database ends what it does not hear of."""
    try:
        await session.abort_transaction()
    except PyMongoError:
        return


def _settle(job: _Job, outcome: _Outcome) -> None:
    if job.future.done():
        return
    if isinstance(outcome, Exception):
        job.future.set_exception(outcome)
    else:
        job.future.set_result(outcome)
