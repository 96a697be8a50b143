"""FHIR delete interaction, conditional delete of one with it.

https://hl7.org/fhir/R4/http.html#delete
"""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.interactions.commit import carry_out
from fhir_server.interactions.criteria import matching, refuse_several
from fhir_server.interactions.find import allowed, find_changeable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import check_match
from fhir_server.interactions.write import Plan, removal


async def delete(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Delete a resource; its history stays. Deleting what is not there is not an error."""
    return await carry_out(server, caller, ask, plan_delete)


async def plan_delete(server: Server, caller: Caller, ask: Interaction) -> Plan:
    """Return the draft of the tombstone, or the answer that there is nothing to delete."""
    if not ask.id:
        allowed(caller, ask.type, "delete")
        _, found = await matching(server, caller, ask, ask.query)
        refuse_several(found, ask.query)
        if not found:
            return Reply(204)
        ask = replace(ask, id=found[0].key.id, params=())
    refuse_all(ask)
    before = await find_changeable(server, caller, ask.key, "delete")
    check_match(ask, before)
    if before is None or before.body is None:
        return Reply(204)
    return removal(ask, before)
