"""The hub's own records behind the admin API: who may, and the row that tells of it."""

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Deny, Verb, decide
from fhir_server.errors import Forbidden
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server


async def guard(server: Server, caller: Caller, ask: Interaction, verb: Verb) -> None:
    """Let those pass who may do this to records of the type. Raises `Forbidden`, audited."""
    decision = decide(caller, ask.type, verb)
    if isinstance(decision, Deny):
        await tell(server, caller, ask, (), Forbidden.status)
        raise Forbidden(decision.reason)


async def tell(
    server: Server,
    caller: Caller,
    ask: Interaction,
    patients: tuple[str, ...] = (),
    status: int = 200,
) -> None:
    """Keep the audit row of a request, before its answer leaves."""
    await server.store.commit([audit_row(caller, ask, status, patients)])
