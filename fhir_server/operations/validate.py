"""`$validate`: what the validator says of a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from dataclasses import dataclass, replace
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

_MODES = ("", "create", "update", "delete", "profile")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of the operation; without a resource, what is stored is meant."""

    resource: dict[str, Any] | None = None
    mode: str = ""
    profiles: tuple[str, ...] = ()


async def validate(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with an OperationOutcome of all that is wrong, 200 also where something is.

    The body is the resource, or Parameters that hold it; on an instance, without a body, what is
    stored is checked. `profile` names profiles to meet; mode `delete` needs no resource: that the
    instance is there to be deleted is all that is checked, and mode `profile` needs a profile.
    """
    asked = _asked(ask)
    if asked.mode not in _MODES:
        raise BadRequest(f"The mode {asked.mode!r} is none of {', '.join(_MODES[1:])}.")
    if asked.mode == "profile" and not asked.profiles:
        raise BadRequest("The mode profile needs a profile.")
    resource = asked.resource
    if asked.mode == "delete" or resource is None:
        if not ask.id:
            raise BadRequest("$validate needs a resource.")
        resource = fhirjson.resource(living(await find(server, caller, ask.key), ask.key))
    if resource.get("resourceType") != ask.type:
        raise BadRequest(f"A {ask.type} is expected here.")
    if asked.mode == "delete":
        return _told([])
    return _told(_id_rules(asked, ask) + server.validator.validate(resource, None, asked.profiles))


def _told(issues: list[Issue]) -> Reply:
    told = issues or [Issue("informational", "Nothing is wrong.", severity="information")]
    return Reply(200, fhirjson.encode(outcome(told)))


def _id_rules(asked: Asked, ask: Interaction) -> list[Issue]:
    """An update has the id of the instance, where it is called on one."""
    given = (asked.resource or {}).get("id")
    if asked.mode != "update" or not ask.id or given == ask.id:
        return []
    return [Issue("value", f"found the id {given!r}, expected {ask.id!r}", f"{ask.type}.id")]


def _asked(ask: Interaction) -> Asked:
    asked = Asked(
        mode=next((value for name, value in ask.params if name == "mode"), ""),
        profiles=tuple(value for name, value in ask.params if name == "profile"),
    )
    if not ask.body:
        return asked
    body = fhirjson.decode(ask.body)
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    if body.get("resourceType") == "Parameters" and ask.type != "Parameters":
        return _with_parameters(asked, body)
    return replace(asked, resource=body)


def _with_parameters(asked: Asked, parameters: dict[str, Any]) -> Asked:
    for each in listed(parameters):
        match each.get("name"):
            case "resource":
                asked = replace(asked, resource=_object(each.get("resource", {})))
            case "mode":
                asked = replace(asked, mode=str(each.get("valueCode")))
            case "profile":
                url = each.get("valueUri") or each.get("valueCanonical")
                asked = replace(asked, profiles=(*asked.profiles, str(url)))
            case name:
                raise NotSupported(f"The parameter {name!r} of $validate is not known.")
    return asked


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest("The resource is not a JSON object.")
    return value


_PARAMETERS = (
    Parameter("resource", "in", 0, "1", "Resource", "What is checked."),
    Parameter("mode", "in", 0, "1", "code", "create, update, delete or profile."),
    Parameter("profile", "in", 0, "*", "uri", "Against which profiles it is checked."),
    Parameter("return", "out", 1, "1", "OperationOutcome", "All that is wrong."),
)
VALIDATE = tuple(
    OperationDefinition("validate", (), level, validate, parameters=_PARAMETERS)
    for level in ("type", "instance")
)
"""For `Server.operations`."""
