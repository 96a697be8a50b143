"""Commit with its audit row, and try again where only a race was lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Caller
from fhir_server.errors import AlreadyMatched, Busy, Conflict, PreconditionFailed
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import done
from fhir_server.interactions.pending import merged
from fhir_server.interactions.reply import written
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import Draft, Plan, approve
from fhir_server.model import Key, Version, Write

_ATTEMPTS = 100
_PAUSE = 0.002
_LONGEST = 10


class Raced(Conflict):
    """Another request changed a record after we read it; `persist` tries again.

    `key` is that record; None where it is one that came into being.
    """

    def __init__(self, lost: PreconditionFailed) -> None:
        """Take what the store said."""
        super().__init__(*lost.issues)
        self.key = None if isinstance(lost, AlreadyMatched) else lost.key


def unmoved(found: Version, latest: Version | None) -> None:
    """Raise `Raced` where a record that criteria found has another version by now."""
    if latest is None or latest.vid != found.vid:
        raise Raced(PreconditionFailed(f"{found.key} has just changed.", key=found.key))


async def commit(
    server: Server,
    caller: Caller,
    ask: Interaction,
    writes: Sequence[Write],
    status: int,
    *,
    told: Iterable[tuple[str, ...]] = (),
) -> list[Version]:
    """Write all or nothing with the row that tells of it, and return the new versions of `writes`.

    `told` are the patients of what the answer tells besides, and of what the writes take the place
    of. Raises `Raced`.
    """
    changed = (write.patients for write in writes if write.key.type[0].isupper())
    patients = concerned((*changed, *told))
    row = audit_row(caller, ask, status, patients)
    try:
        return (await server.store.commit([*writes, row]))[: len(writes)]
    except PreconditionFailed as lost:
        raise Raced(lost) from None


def audit_row(caller: Caller, ask: Interaction, status: int, patients: tuple[str, ...]) -> Write:
    """Return the audit row of a request."""
    return audit_write(
        caller,
        interaction=f"{ask.name}${ask.operation}" if ask.operation else ask.name,
        type=ask.type,
        id=ask.id,
        query=ask.query,
        status=status,
        patients=patients,
    )


def concerned(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return all patients of several records, each once.

    >>> concerned([("b", "a"), ("a",)])
    ('a', 'b')
    """
    return tuple(sorted({patient for patients in lists for patient in patients}))


async def persist(
    server: Server, attempt: Callable[[], Awaitable[Reply]], keys: Iterable[Key] = ()
) -> Reply:
    """Try again, a bounded number of times, while other requests are faster. Raises `Busy`.

    `keys` are the records that will be written, as far as that is known. The turn of those that
    others are queueing for is waited for, and of each that a race was lost for.
    """
    breath = Breath(server.settings.request_seconds)
    turns = {key for key in keys if server.turns.awaited(key)}
    for number in range(_ATTEMPTS):
        async with server.turns.take(turns):
            try:
                return await attempt()
            except Raced as race:
                await server.index.refresh()
                if race.key is not None:
                    turns.add(race.key)
        if breath.is_over:
            break
        await asyncio.sleep(random.uniform(0, _PAUSE * min(number + 1, _LONGEST)))
    raise Busy("Others change the same records at this moment; try again.")


async def carry_out(
    server: Server,
    caller: Caller,
    ask: Interaction,
    plan: Callable[[Server, Caller, Interaction], Awaitable[Plan]],
) -> Reply:
    """Plan a write, approve it and commit it, and answer with what it became."""

    async def attempt() -> Reply:
        made = await plan(server, caller, ask)
        if isinstance(made, Reply):
            return made
        writes = merged([made.write, *await approve(server, caller, made)])
        before = (made.before.patients,) if made.before else ()
        versions = await commit(server, caller, made.ask, writes, status(made), told=before)
        return answer(made, versions[0])

    return await persist(server, attempt, (ask.key,) if ask.id else ())


def status(made: Draft) -> int:
    """Return the status of the answer to a draft that is committed."""
    return 201 if made.created else 200


def answer(made: Draft, version: Version) -> Reply:
    """Return the answer to a draft that is committed."""
    return written(version, made.ask, created=made.created)


def answer_deleted(ask: Interaction, gone: Sequence[Version]) -> Reply:
    """Return the answer to a delete: the tombstones that it made, if any.

    "204 No Content … or 200 OK … if the response contains a payload."
    """
    reply = Reply(
        204,
        vid=gone[0].vid if len(gone) == 1 else None,
        patients=concerned(version.patients for version in gone),
        audited=bool(gone),
    )
    if ask.returns != "OperationOutcome":
        return reply
    words = f"Deleted: {', '.join(str(version.key) for version in gone)}." if gone else _NOTHING
    return replace(reply, status=200, body=done(words))


_NOTHING = "There was nothing to delete."
