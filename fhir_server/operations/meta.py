"""`$meta`, `$meta-add`, `$meta-delete`: profiles, tags and security labels, apart from content.

https://hl7.org/fhir/R4/resource-operation-meta.html,
https://hl7.org/fhir/R4/resource-operation-meta-add.html,
https://hl7.org/fhir/R4/resource-operation-meta-delete.html

1. They are sets: a profile is one by its URL, a tag or label by its system and code.
2. A version never changes here, so adding and deleting make the next one; what changes nothing
   makes none.
3. Of a type, or of the whole hub, `$meta` tells what occurs in the records that the caller sees.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.errors import BadRequest
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.commit import carry_out
from fhir_server.interactions.find import allowed, find, find_changeable, living
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.interactions.update import check_match, same
from fhir_server.interactions.write import Plan, drafted
from fhir_server.model import Query, Version
from fhir_server.operations.parameters import parameters
from fhir_server.search.tree import Match, both, either

_PAGE = 500
_SETS = ("profile", "security", "tag")

Json = dict[str, Any]
Change = Callable[[list[Any], list[Any]], list[Any]]


class _Labelled(msgspec.Struct):
    """What of a resource is read for `$meta`."""

    meta: Json = {}


_labelled = msgspec.json.Decoder(_Labelled)


async def meta(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the meta of a record, or of all records of a type or of the hub that are seen."""
    if ask.id:
        version = living(await find(server, caller, ask.key), ask.key)
        return _told([_meta(version)], version.patients)
    if ask.type:
        allowed(caller, ask.type, "search")
    breath = Breath(server.settings.request_seconds)
    found: list[Json] = []
    patients: set[str] = set()
    for type in [ask.type] if ask.type else sorted(server.definitions.resource_types):
        async for version in _labelled_records(server, caller, type):
            found.append(_meta(version))
            patients.update(version.patients)
            await breath.take()
    return _told(found, tuple(sorted(patients)))


async def _labelled_records(server: Server, caller: Caller, type: str) -> AsyncIterator[Version]:
    labelled = either(*(Match(f"_{name}") for name in _SETS))
    query = Query(type, both(visible(caller, type), labelled), limit=_PAGE, now=caller.now)
    while True:
        page = await server.store.search(query)
        for version in page.versions:
            yield version
        if page.next is None:
            return
        query = replace(query, after=page.next)


def _meta(version: Version) -> Json:
    return _labelled.decode(fhirjson.whole(version)).meta


def _told(found: Iterable[Json], patients: tuple[str, ...]) -> Reply:
    """Return the union of what was found, as Parameters."""
    union: Json = {name: [] for name in _SETS}
    for each in found:
        for name in _SETS:
            union[name] += each.get(name, ())
    value = {name: _united([], union[name]) for name in _SETS if union[name]}
    return Reply(200, _parameters(value), patients=patients)


def _parameters(value: Json) -> bytes:
    returned = {"name": "return", "valueMeta": value}
    return fhirjson.encode({"resourceType": "Parameters", "parameter": [returned]})


def _united(there: list[Any], given: list[Any]) -> list[Any]:
    known = {_identity(each) for each in there}
    added = []
    for each in given:
        if _identity(each) not in known:
            known.add(_identity(each))
            added.append(each)
    return [*there, *added]


def _without(there: list[Any], given: list[Any]) -> list[Any]:
    gone = {_identity(each) for each in given}
    return [each for each in there if _identity(each) not in gone]


def _identity(value: Any) -> Any:
    return (value.get("system"), value.get("code")) if isinstance(value, dict) else value


def _changing(change: Change) -> Callable[[Server, Caller, Interaction], Awaitable[Reply]]:
    async def run(server: Server, caller: Caller, ask: Interaction) -> Reply:
        given = _given(ask.body)
        left: Json = {}

        async def plan(server: Server, caller: Caller, ask: Interaction) -> Plan:
            before = living(await find_changeable(server, caller, ask.key, "update"), ask.key)
            check_match(ask, before)
            resource = fhirjson.resource(before)
            resource["meta"] = changed = _changed(resource["meta"], given, change)
            left.clear()
            left.update({name: changed[name] for name in _SETS if name in changed})
            body = fhirjson.encode(resource)
            if same(before, body):
                return unchanged(before, ask)
            return await drafted(server, caller, ask, resource, body, before)

        reply = await carry_out(server, caller, ask, plan)
        return replace(reply, body=_parameters(left), created=False)

    return run


def _given(body: bytes) -> Json:
    """Return the Meta that the operation was given. Raises `BadRequest`."""
    for place, each in enumerate(parameters(body)):
        value = each.get("valueMeta")
        if each.get("name") != "meta" or not isinstance(value, dict):
            where = f"Parameters.parameter[{place}]"
            raise BadRequest(Issue("invalid", "Expected: meta, a valueMeta.", where))
        for name in _SETS:
            _check(name, value.get(name, []))
        return value
    raise BadRequest("The operation needs meta, a valueMeta.")


def _check(name: str, values: Any) -> None:
    kind = str if name == "profile" else dict
    if not isinstance(values, list) or not all(isinstance(each, kind) for each in values):
        where = f"Parameters.parameter[0].valueMeta.{name}"
        raise BadRequest(Issue("structure", "A list is expected.", where))


def _changed(there: Json, given: Json, change: Change) -> Json:
    made = dict(there)
    for name in _SETS:
        left = change(there.get(name, []), given.get(name, []))
        made.pop(name, None)
        if left:
            made[name] = left
    return made


_RETURN = Parameter("return", "out", 1, "1", "Meta", "The profiles, tags and labels.")
_GIVEN = Parameter("meta", "in", 1, "1", "Meta", "The profiles, tags and labels in question.")
_LEVELS = ("system", "type", "instance")

META = (
    *(OperationDefinition("meta", (), level, meta, parameters=(_RETURN,)) for level in _LEVELS),
    OperationDefinition(
        "meta-add", (), "instance", _changing(_united), True, parameters=(_GIVEN, _RETURN)
    ),
    OperationDefinition(
        "meta-delete", (), "instance", _changing(_without), True, parameters=(_GIVEN, _RETURN)
    ),
)
"""For `Server.operations`."""
