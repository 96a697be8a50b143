"""Perform an interaction: the only door to the record, whoever asks and by whichever protocol.

Every interaction leaves an audit row, refusals among them, which is durable before the answer
leaves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.errors import Busy, HubError, NotSupported, TooCostly
from fhir_server.interactions.batch import batch
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import delete
from fhir_server.interactions.entries import kind
from fhir_server.interactions.history import history
from fhir_server.interactions.interaction import Interaction, Name, Reply
from fhir_server.interactions.job import accept, cancel, job
from fhir_server.interactions.operation import operation
from fhir_server.interactions.patch import patch
from fhir_server.interactions.read import read
from fhir_server.interactions.search_type import search_type
from fhir_server.interactions.server import Server
from fhir_server.interactions.trail import trail
from fhir_server.interactions.transaction import transaction
from fhir_server.interactions.update import update
from fhir_server.interactions.vread import vread

Run = Callable[[Server, Caller, Interaction], Awaitable[Reply]]

RUN: Mapping[Name, Run] = {
    "read": read,
    "vread": vread,
    "history-instance": history,
    "history-type": history,
    "history-system": history,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "search-type": search_type,
    "search-compartment": search_type,
    "search-system": search_type,
    "operation": operation,
    "job": job,
    "cancel": cancel,
}
"""What is done here; what FHIR has besides is answered with 501."""


_BY_PARAMETERS = ("search", "operation")

_ATTEMPTS = 5
_LOOKING = ("search", "history")
"""Interactions that may be ended at any moment, since they change nothing."""


def _asks_by_parameters(ask: Interaction) -> bool:
    """Whether the search parameters of this moment matter; a plain write is refused without."""
    return ask.name.startswith(_BY_PARAMETERS) or bool(ask.query or ask.if_none_exist)


async def perform(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer one interaction. Raises a `HubError` where it is refused."""
    if ask.later and ask.name not in ("job", "cancel"):
        return await accept(server, caller, replace(ask, later=False), perform)
    try:
        if ask.name == "batch":
            ask = replace(ask, name=kind(ask.body))
        reply = await _run(server, caller, ask)
    except HubError as error:
        await server.store.commit([audit_row(caller, ask, error.status, ())])
        raise
    if not reply.audited:
        await server.store.commit([audit_row(caller, ask, reply.status, reply.patients)])
    return reply


async def _run(server: Server, caller: Caller, ask: Interaction) -> Reply:
    if ask.name == "batch":
        return await batch(server, caller, ask, single)
    if ask.name == "transaction":
        await server.index.refresh()
        return await transaction(server, caller, ask, single)
    if not ask.name.startswith(_LOOKING):
        return await single(server, caller, ask)
    try:
        async with asyncio.timeout(server.settings.request_seconds):
            return await single(server, caller, ask)
    except TimeoutError:
        seconds = server.settings.request_seconds
        raise TooCostly(f"The request takes more than {seconds:g} seconds; ask for less.") from None


async def single(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Do one interaction on one resource or type, without the audit row of a read."""
    run = RUN.get(ask.name)
    if run is None:
        raise NotSupported(f"{ask.name} is not supported yet.")
    if ask.type == "AuditEvent" and ask.name != "search-compartment":
        run = trail
    if not _asks_by_parameters(ask):
        return await run(server, caller, ask)
    known = await server.index.refresh()
    reply = await run(server, caller, ask)
    if ask.name.startswith("search") and known.indexing.parameters:
        return await _still(server, caller, ask, (run, known.vid, reply))
    return reply


async def _still(
    server: Server, caller: Caller, ask: Interaction, made: tuple[Run, int, Reply]
) -> Reply:
    """Return the answer of a search if it was made by the parameters that hold; else make it anew.

    One of them may have changed between the reading of the query and the look into the store.
    """
    run, vid, reply = made
    for _ in range(_ATTEMPTS):
        now = (await server.index.refresh()).vid
        if now == vid:
            return reply
        vid, reply = now, await run(server, caller, ask)
    raise Busy("Search parameters change at this moment; try again.")
