"""FHIR patch interaction with JSON Patch. https://hl7.org/fhir/R4/http.html#patch"""

from dataclasses import replace
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import NotFound, Unprocessable
from fhir_server.interactions import jsonpatch
from fhir_server.interactions.commit import carry_out
from fhir_server.interactions.criteria import matching, refuse_several
from fhir_server.interactions.find import allowed, find_changeable, living
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import check_match, same
from fhir_server.interactions.write import Plan, check_meta, draft
from fhir_server.model import Version


async def patch(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write the next version of a resource, changed by a JSON Patch."""
    return await carry_out(server, caller, ask, plan_patch)


async def plan_patch(server: Server, caller: Caller, ask: Interaction) -> Plan:
    """Return the draft of the patched resource, or the answer that nothing changes."""
    operations = fhirjson.decode(ask.body)
    if not ask.id:
        allowed(caller, ask.type, "update")
        _, found = await matching(server, caller, ask, ask.query)
        refuse_several(found, ask.query)
        if not found:
            raise NotFound("Nothing matches the criteria.")
        ask = replace(ask, id=found[0].key.id, params=())
    refuse_all(ask)
    before = living(await find_changeable(server, caller, ask.key, "update"), ask.key)
    check_match(ask, before)
    resource, body = patched(before, operations)
    if same(before, body):
        return unchanged(before, ask)
    return draft(server, caller, ask, resource, body, before)


def patched(before: Version, operations: Any) -> tuple[dict[str, Any], bytes]:
    """Return the resource after a JSON Patch, decoded and as bytes.

    Raises `BadRequest`, and `Unprocessable` where the patch cannot be applied or touches what names
    the resource.
    """
    resource = jsonpatch.apply(fhirjson.resource(before), operations)
    names = {"resourceType": before.key.type, "id": before.key.id}
    for name, value in names.items():
        if not isinstance(resource, dict) or resource.get(name) != value:
            raise Unprocessable(
                Issue("processing", f"A patch cannot change {name}.", f"{before.key.type}.{name}")
            )
    check_meta(resource)
    return resource, fhirjson.encode(resource)
