"""FHIR patch interaction: JSON Patch, JSON Merge Patch and FHIRPath Patch.

https://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import NotFound, Unprocessable
from fhir_server.interactions import fhirpathpatch, jsonpatch, mergepatch
from fhir_server.interactions.breath import aside
from fhir_server.interactions.commit import carry_out, unmoved
from fhir_server.interactions.criteria import the_one
from fhir_server.interactions.find import allowed, find_changeable, living
from fhir_server.interactions.interaction import FHIR_JSON, Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import check_match, same
from fhir_server.interactions.write import Plan, check_meta, drafted
from fhir_server.model import Version
from fhir_server.search.tree import Ids

Apply = Callable[[Server, dict[str, Any], Any], Any]

JSON_PATCH = "application/json-patch+json"
PATCHES: Mapping[str, Apply] = {
    JSON_PATCH: lambda _, resource, patch: jsonpatch.apply(resource, patch),
    "application/merge-patch+json": lambda _, resource, patch: mergepatch.apply(resource, patch),
    FHIR_JSON: lambda server, resource, patch: fhirpathpatch.apply(
        server.definitions, resource, patch
    ),
}
"""Content type -> what applies such a patch to a resource; JSON Patch where none is named."""


async def patch(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write the next version of a resource, changed by a patch."""
    return await carry_out(server, caller, ask, plan_patch)


async def plan_patch(
    server: Server, caller: Caller, ask: Interaction, without: Ids | None = None
) -> Plan:
    """Return the draft of the patched resource, or the answer that nothing changes.

    `without` are records that criteria do not match. "The server SHALL process its own copy of the
    resource"; one record at most may match criteria.
    """
    found: Version | None = None
    if not ask.id:
        allowed(caller, ask.type, "update")
        _, found = await the_one(server, caller, ask, ask.query, without)
        if found is None:
            raise NotFound("Nothing matches the criteria.")
        ask = replace(ask, id=found.key.id, params=())
    refuse_all(ask)
    before = living(await find_changeable(server, caller, ask.key, "update"), ask.key)
    if found is not None:
        unmoved(found, before)
    check_match(ask, before)
    size = len(ask.body) + len(before.body or b"")
    resource, body = await aside(size, patched, server, before, ask)
    if same(before, body):
        return unchanged(before, ask)
    return await drafted(server, caller, ask, resource, body, before)


def patched(server: Server, before: Version, ask: Interaction) -> tuple[dict[str, Any], bytes]:
    """Return the resource after the patch, decoded and as bytes.

    Raises `BadRequest`, and `Unprocessable` where the patch cannot be applied or touches what names
    the resource.
    """
    given = fhirjson.decode(ask.body)
    resource = PATCHES[ask.content_type or JSON_PATCH](server, fhirjson.resource(before), given)
    names = {"resourceType": before.key.type, "id": before.key.id}
    for name, value in names.items():
        if not isinstance(resource, dict) or resource.get(name) != value:
            raise Unprocessable(
                Issue("processing", f"A patch cannot change {name}.", f"{before.key.type}.{name}")
            )
    check_meta(resource)
    return resource, fhirjson.encode(resource)
