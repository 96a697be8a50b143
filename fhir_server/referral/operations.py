"""The steps of a referral as operations: `Task/ID/$accept` and its like, and `Task/ID/$actions`.

https://hl7.org/fhir/R4/operations.html

An operation writes the Task that would be after the step and hands it to the update interaction:
the write rule decides there, as it does for a PUT. `$actions` lists what the caller may do with
the version that is there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, Busy, Conflict, PreconditionFailed, Unprocessable
from fhir_server.interactions.find import find, living
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.interactions.update import check_match, update
from fhir_server.model import Version
from fhir_server.referral.codes import BASE, business_concept
from fhir_server.referral.rules import actors, refers, refusal
from fhir_server.referral.states import TABLE, Resource, Row, legal, state

Json = dict[str, Any]

WITHOUT = frozenset(("create", "edit", "discard", "expire"))
"""Steps that are no operations: they are a POST, PUT or DELETE of the Task, or the clock's."""

_ATTEMPTS = 10


async def take(name: str, server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Take the step `name` with a Task. Body: none, or Parameters of `reason`, `note`, `output`.

    Raises `NotFound`, `Gone`, `BadRequest`, `PreconditionFailed` (If-Match), `Conflict` naming the
    legal steps, `Unprocessable`.
    """
    given = arguments(ask.body)
    for _ in range(_ATTEMPTS):
        version, task = await _referral(server, caller, ask)
        check_match(ask, version)
        row = _row(name, caller, task)
        body = fhirjson.encode(stepped(row, task, given, caller))
        try:
            return await update(server, caller, replace(ask, body=body, if_match=version.vid))
        except PreconditionFailed:
            if ask.if_match is not None:
                raise
    raise Busy("Others change this referral at this moment; try again.")


async def _referral(server: Server, caller: Caller, ask: Interaction) -> tuple[Version, Json]:
    version = living(await find(server, caller, ask.key), ask.key)
    task = fhirjson.resource(version)
    if not await refers(server, task):
        raise Unprocessable("This Task is not one of a referral.")
    return version, task


def _row(name: str, caller: Caller, task: Resource) -> Row:
    acting = actors(caller, task)
    possible = legal(task, acting)
    for row in possible:
        if row.name == name:
            return row
    raise Conflict(Issue("conflict", refusal(task, name, acting, possible), "Task.status"))


def stepped(row: Row, task: Resource, given: Resource, caller: Caller) -> Json:
    """Return the Task after a step as a client would write it; the rule adds the hub's part."""
    after = dict(task) | {"status": row.target(state(task))}
    if row.business:
        after["businessStatus"] = business_concept(row.business)
    if "statusReason" in given:
        after["statusReason"] = given["statusReason"]
    if "note" in given:
        after["note"] = [*after.get("note", ()), *(_note(text, caller) for text in given["note"])]
    if "output" in given:
        after["output"] = [*after.get("output", ()), *given["output"]]
    return after


def _note(text: str, caller: Caller) -> Json:
    note: Json = {"time": fhirjson.instant(caller.now), "text": text}
    if caller.person:
        return note | {"authorReference": {"reference": caller.person}}
    return note | {"authorString": caller.name or caller.kind}


def arguments(body: bytes) -> Json:
    """Read the Parameters of a step as elements of a Task. Raises `BadRequest`.

    >>> reason = b'{"name":"reason","valueString":"full"}'
    >>> arguments(b'{"resourceType":"Parameters","parameter":[' + reason + b']}')
    {'statusReason': {'text': 'full'}}
    """
    given: Json = {}
    for index, each in enumerate(_parameters(body)):
        at = f"Parameters.parameter[{index}]"
        match each:
            case {"name": "reason", "valueString": str(text)}:
                given["statusReason"] = {"text": text}
            case {"name": "reason", "valueCodeableConcept": dict(value)}:
                given["statusReason"] = value
            case {"name": "note", "valueString": str(text)}:
                given.setdefault("note", []).append(text)
            case {"name": "output", "valueReference": dict(value)}:
                output = {"type": {"text": "result"}, "valueReference": value}
                given.setdefault("output", []).append(output)
            case _:
                words = (
                    "Expected: reason (valueString or valueCodeableConcept),"
                    " note (valueString), output (valueReference)."
                )
                raise BadRequest(Issue("invalid", words, at))
    return given


def _parameters(body: bytes) -> list[Any]:
    resource = fhirjson.decode(body) if body else {}
    if resource == {}:
        return []
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise BadRequest("The body of this operation is Parameters, or nothing.")
    found = resource.get("parameter", [])
    return found if isinstance(found, list) else [found]


async def actions(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """List the steps that this caller may take with this version of a Task, as Parameters.

    Each `action` has the parts `name` (the operation, without `$`), `display`, `status`,
    `businessStatus` and `reason` (whether one is needed). Raises `NotFound`, `Gone`.
    """
    version, task = await _referral(server, caller, ask)
    rows = [row for row in legal(task, actors(caller, task)) if row.name not in WITHOUT]
    listed = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "version", "valueString": str(version.vid)},
            *({"name": "action", "part": _parts(row, task)} for row in rows),
        ],
    }
    return Reply(200, fhirjson.encode(listed), patients=version.patients)


def _parts(row: Row, task: Resource) -> list[Json]:
    return [
        {"name": "name", "valueCode": row.name},
        {"name": "display", "valueString": row.chinese},
        {"name": "status", "valueCode": row.target(state(task))},
        *([{"name": "businessStatus", "valueCode": row.business}] if row.business else []),
        {"name": "reason", "valueBoolean": row.reason},
    ]


_STEP = (
    Parameter("reason", "in", 0, "1", "CodeableConcept", "Why, as a concept or a string."),
    Parameter("note", "in", 0, "*", "string", "What the other side should read."),
    Parameter("output", "in", 0, "*", "Reference", "What came of it."),
    Parameter("return", "out", 1, "1", "Task", "The Task after the step."),
)
_LISTED = (Parameter("return", "out", 1, "1", "Parameters", "The steps that may be taken."),)


def _define(
    name: str, run: Callable[[Server, Caller, Interaction], Awaitable[Reply]], *, changes: bool
) -> OperationDefinition:
    url = f"{BASE}OperationDefinition/Task-{name}"
    told = _STEP if changes else _LISTED
    return OperationDefinition(name, ("Task",), "instance", run, changes, url, told)


OPERATIONS: tuple[OperationDefinition, ...] = (
    *(
        _define(name, partial(take, name), changes=True)
        for name in dict.fromkeys(row.name for row in TABLE)
        if name not in WITHOUT
    ),
    _define("actions", actions, changes=False),
)
