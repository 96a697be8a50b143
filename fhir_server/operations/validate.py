"""`$validate`: what the validator says of a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.interactions.find import find, living
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import outcome
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.operations.parameters import listed

_CAN = ("resource", "mode")
_MODES = ("create", "update")


async def validate(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with an OperationOutcome of all that is wrong, 200 also where something is.

    The body is the resource, or Parameters that hold it; on an instance, without a body, what is
    stored is checked. Raises `NotSupported` for a profile or the modes delete and profile.
    """
    resource = await _resource(server, caller, ask)
    if resource.get("resourceType") != ask.type:
        raise BadRequest(f"A {ask.type} is expected here.")
    issues = server.validator.validate(resource)
    told = issues or [Issue("informational", "Nothing is wrong.", severity="information")]
    return Reply(200, fhirjson.encode(outcome(told)))


async def _resource(server: Server, caller: Caller, ask: Interaction) -> dict[str, Any]:
    if any(name == "profile" for name, _ in ask.params):
        raise NotSupported("Validation against a profile is not supported yet.")
    if not ask.body:
        if not ask.id:
            raise BadRequest("$validate needs a resource.")
        return fhirjson.resource(living(await find(server, caller, ask.key), ask.key))
    body = fhirjson.decode(ask.body)
    if isinstance(body, dict) and body.get("resourceType") == "Parameters":
        return _parameter(body)
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    return body


def _parameter(parameters: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in listed(parameters):
        name = each.get("name")
        if name not in _CAN or (name == "mode" and each.get("valueCode") not in _MODES):
            raise NotSupported(f"The parameter {name!r} of $validate is not supported yet.")
        if name == "resource":
            found = each.get("resource", {})
    if not found or not isinstance(found, dict):
        raise BadRequest("$validate needs a resource.")
    return found


_PARAMETERS = (
    Parameter("resource", "in", 0, "1", "Resource", "What is checked."),
    Parameter("mode", "in", 0, "1", "code", "create or update."),
    Parameter("return", "out", 1, "1", "OperationOutcome", "All that is wrong."),
)
VALIDATE = tuple(
    OperationDefinition("validate", (), level, validate, parameters=_PARAMETERS)
    for level in ("type", "instance")
)
"""For `Server.operations`."""
