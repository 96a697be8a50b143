"""Requests that are answered later: `Prefer: respond-async`.

https://hl7.org/fhir/R4/async.html; the result is the Bundle of R5's asynchronous interaction
request, https://hl7.org/fhir/R5/async-bundle.html

1. The request is answered at once with 202 and the address of its job.
2. `GET _job/[id]` is 202 while it goes on, then 200 with a batch-response whose one entry is the
   answer that the request would have had. `DELETE _job/[id]` gives it up.
3. Only who asked, with the same role and the same scopes, sees it; for others it is not there.
4. The job is a record. It is on lease to the process that works on it; where the lease has run out,
   that process has ended, and the job is told to be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate

import msgspec

from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import text
from fhir_server.errors import Busy, HubError, NotFound, PreconditionFailed
from fhir_server.interactions.bundle import answered, bundle
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import refusal
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.model import Entry, Key, Query, Version, Write
from fhir_server.search.tree import NOW, Cond, Match

_MOST_WAITING = 100
_SECONDS = 3600.0
_LEASE = 60_000
_RENEWAL = 20.0
_CLEARED = 20

Run = Callable[[Server, Caller, Interaction], Awaitable[Reply]]

log = get_logger("job")


_NOTHING = msgspec.Raw()


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a request that is answered later; times in milliseconds.

    `owner` is who asked, `entry` the entry of the result; without one it goes on until `lease`.
    """

    owner: tuple[str, ...]
    asked: str
    started: int
    lease: int
    until: int
    entry: msgspec.Raw = _NOTHING
    patients: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Job).decode


async def accept(server: Server, caller: Caller, ask: Interaction, run: Run) -> Reply:
    """Answer with the address of the job that will do what was asked, by `run`. Raises `Busy`."""
    if len(server.background) >= _MOST_WAITING:
        raise Busy("Too many jobs wait in this process; try again.")
    key = Key("job", server.new_id())
    now = server.clock()
    job = Job(
        owner=_owner(caller),
        asked=f"{ask.name} {ask.type}",
        started=now,
        lease=now + _LEASE,
        until=now + server.settings.job_hours * 3_600_000,
    )
    row = audit_row(caller, ask, 202, ())
    [version, *_] = await server.store.commit([_write(key, job, 0), row, *await _old(server, now)])
    server.background.start(key.id, lambda: _work(server, caller, ask, run, (job, version)))
    place = f"{ask.base}/_job/{key.id}"
    headers = (("content-location", place), ("preference-applied", "respond-async"))
    return Reply(202, headers=headers, audited=True)


async def job(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer how a job stands. Raises `NotFound`, and `HubError` where it is lost."""
    version, found = await _find(server, caller, ask)
    now = server.clock()
    if not bytes(found.entry) and found.lease < now:
        raise HubError("The process that worked on this job has ended; ask again.")
    if not bytes(found.entry):
        seconds = (now - found.started) // 1000
        told = (("x-progress", f"{found.asked.strip()}, {seconds} s"), ("retry-after", "1"))
        return Reply(202, headers=told)
    links = [("self", f"{ask.base}/_job/{version.key.id}")]
    body = bundle("batch-response", [bytes(found.entry)], links=links)
    expires = (("expires", formatdate(found.until / 1000, usegmt=True)),)
    return Reply(200, body, headers=expires, patients=found.patients)


async def cancel(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Give a job up, or forget its result. Raises `NotFound`."""
    version, _ = await _find(server, caller, ask)
    await server.store.commit([Write(version.key, None, method="DELETE")])
    server.background.cancel(version.key.id)
    return Reply(202)


async def _find(server: Server, caller: Caller, ask: Interaction) -> tuple[Version, Job]:
    version = await server.store.read(Key("job", ask.id))
    if version is not None and version.body is not None:
        found = _decode(version.body)
        if found.owner == _owner(caller) and found.until > server.clock():
            return version, found
    raise NotFound(f"There is no job {ask.id}.")


def _owner(caller: Caller) -> tuple[str, ...]:
    """Return what must be the same in whoever asks for the result."""
    return (
        caller.kind,
        caller.account,
        caller.role,
        caller.patient,
        caller.client,
        caller.purpose,
        text(caller.scopes),
    )


def _write(key: Key, job: Job, expect: int) -> Write:
    entries = (Entry("account", job.owner[1]), Entry("until", job.until, job.until + 1))
    return Write(key, _encode(job), entries, expect=expect)


async def _old(server: Server, now: int) -> list[Write]:
    """Return the writes that forget some results whose time is over."""
    where = Match("until", (Cond("v", "<", NOW),))
    page = await server.store.search(Query("job", where, limit=_CLEARED, now=now))
    return [Write(version.key, None, method="DELETE") for version in page.versions]


async def _work(
    server: Server, caller: Caller, ask: Interaction, run: Run, kept: tuple[Job, Version]
) -> None:
    """Do what was asked, and keep the answer. The lease is renewed as long as that takes."""
    lease = _Lease(server, *kept)
    renewing = asyncio.create_task(lease.renew())
    patient = replace(server, settings=replace(server.settings, request_seconds=_SECONDS))
    try:
        reply = await _answer(patient, replace(caller, now=server.clock()), ask, run)
        entry = msgspec.Raw(answered(ask.base, reply))
        await lease.keep(entry=entry, patients=reply.patients)
    except PreconditionFailed:
        log.info("job.given_up", id=lease.key.id)
    except HubError as fault:
        log.error("job.not_kept", id=lease.key.id, exc_info=fault)
    finally:
        renewing.cancel()


async def _answer(server: Server, caller: Caller, ask: Interaction, run: Run) -> Reply:
    try:
        return await run(server, caller, ask)
    except HubError as error:
        return Reply(error.status, refusal(error))
    except Exception as fault:  # the task's edge: who asked is told, as at the edge of HTTP
        log.error("job.failed", request=caller.request, exc_info=fault)
        words = f"The hub failed to answer request {caller.request}; it is in the log."
        return Reply(500, refusal(HubError(words)))


class _Lease:
    """The record of a job that this process works on, and its latest version."""

    def __init__(self, server: Server, job: Job, version: Version) -> None:
        self.key = version.key
        self._server = server
        self._job = job
        self._vid = version.vid
        self._turn = asyncio.Lock()

    async def keep(self, **changes: object) -> None:
        """Write what has changed. Raises `PreconditionFailed` where the job was given up."""
        async with self._turn:
            self._job = msgspec.structs.replace(self._job, **changes)
            write = _write(self.key, self._job, self._vid)
            [version] = await self._server.store.commit([write])
            self._vid = version.vid

    async def renew(self) -> None:
        """Renew the lease until it is cancelled; a job that was given up is ended."""
        while True:
            await asyncio.sleep(_RENEWAL)
            with suppress(Busy):
                try:
                    await self.keep(lease=self._server.clock() + _LEASE)
                except PreconditionFailed:
                    self._server.background.cancel(self.key.id)
                    return
