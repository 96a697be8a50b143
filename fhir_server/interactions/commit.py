"""Commit with its audit row, and try again where only a race was lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Caller
from fhir_server.errors import AlreadyMatched, Busy, PreconditionFailed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.server import Server
from fhir_server.model import Version, Write

_ATTEMPTS = 20
_PAUSE = 0.002


async def commit(
    server: Server, caller: Caller, ask: Interaction, writes: Sequence[Write], status: int
) -> list[Version]:
    """Write all or nothing with the row that tells of it, and return the new versions of `writes`."""
    patients = concerned(write.patients for write in writes if write.key.type[0].isupper())
    made = writes[0].key.id if ask.type and not ask.id else ask.id
    row = trail(caller, ask, status, patients, made)
    return (await server.store.commit([*writes, row]))[: len(writes)]


def trail(
    caller: Caller, ask: Interaction, status: int, patients: tuple[str, ...], id: str = ""
) -> Write:
    """Return the audit row of a request."""
    return audit_write(
        caller,
        interaction=f"{ask.name}${ask.operation}" if ask.operation else ask.name,
        type=ask.type,
        id=id or ask.id,
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


async def persist(attempt: Callable[[], Awaitable[Reply]], ask: Interaction) -> Reply:
    """Try again, a bounded number of times, while another request was faster.

    A record that the client's If-Match names is not tried again. Raises `PreconditionFailed` then, and
    `Busy` when all attempts are used up.
    """
    for number in range(_ATTEMPTS):
        try:
            return await attempt()
        except AlreadyMatched:
            pass
        except PreconditionFailed:
            if ask.if_match is not None:
                raise
        await asyncio.sleep(random.uniform(0, _PAUSE * (number + 1)))
    raise Busy("Others change the same records at this moment; try again.")
