"""FHIR batch interaction: entries that know nothing of each other.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Awaitable, Callable

from fhir_server.authz.caller import Caller
from fhir_server.errors import HubError
from fhir_server.interactions.breath import Breath, aside
from fhir_server.interactions.bundle import answered, bundle
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.entries import Step, steps
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import refusal
from fhir_server.interactions.server import Server
from fhir_server.model import Write

Run = Callable[[Server, Caller, Interaction], Awaitable[Reply]]


async def batch(server: Server, caller: Caller, ask: Interaction, run: Run) -> Reply:
    """Do each entry by `run`, whatever becomes of the others, and answer in their order.

    Each entry has its own audit row; those of reads and refusals are committed together. Once the
    time of the request is used up, what is left is answered with 503 and not done.
    """
    breath = Breath(server.settings.request_seconds)
    replies: list[bytes] = []
    rows: list[Write] = []
    for step in await aside(len(ask.body), steps, server, ask):
        reply = await _attempt(server, caller, step, run, breath)
        replies.append(answered(ask.base, reply))
        if not reply.audited:
            rows.append(audit_row(caller, step.ask, reply.status, reply.patients))
    if rows:
        await server.store.commit(rows)
    links = [("self", ask.base)]
    return Reply(200, bundle("batch-response", replies, links=links), audited=True)


async def _attempt(server: Server, caller: Caller, step: Step, run: Run, breath: Breath) -> Reply:
    try:
        await breath.take()
        if step.fault is not None:
            raise step.fault
        return step.told(await run(server, caller, step.ask))
    except HubError as error:
        return Reply(error.status, refusal(error))
