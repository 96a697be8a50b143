"""Commit with its audit row, and try again where only a race was lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Caller
from fhir_server.errors import Busy, Conflict, PreconditionFailed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.pending import merged
from fhir_server.interactions.reply import written
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import Draft, Plan, approve
from fhir_server.model import Version, Write

_ATTEMPTS = 20
_PAUSE = 0.002


class Raced(Conflict):
    """Another request changed a record after we read it; `persist` tries again."""


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
        raise Raced(*lost.issues) from None


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


async def persist(attempt: Callable[[], Awaitable[Reply]]) -> Reply:
    """Try again, a bounded number of times, while other requests are faster. Raises `Busy`."""
    for number in range(_ATTEMPTS):
        try:
            return await attempt()
        except Raced:
            await asyncio.sleep(random.uniform(0, _PAUSE * (number + 1)))
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

    return await persist(attempt)


def status(made: Draft) -> int:
    """Return the status of the answer to a draft that is committed."""
    return 204 if made.after is None else 201 if made.created else 200


def answer(made: Draft, version: Version) -> Reply:
    """Return the answer to a draft that is committed."""
    if made.after is None:
        return Reply(204, vid=version.vid, patients=version.patients, audited=True)
    return written(version, made.ask, created=made.created)
