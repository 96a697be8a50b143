"""FHIR update interaction, conditional update with it. https://hl7.org/fhir/R4/http.html#update"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import (
    BadRequest,
    Conflict,
    Gone,
    NotAllowed,
    PreconditionFailed,
    Unprocessable,
)
from fhir_server.interactions.commit import carry_out, unmoved
from fhir_server.interactions.create import draft_new
from fhir_server.interactions.criteria import the_one
from fhir_server.interactions.find import allowed, find_changeable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.routes import ID
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import is_subset
from fhir_server.interactions.write import Plan, decode, drafted
from fhir_server.model import Query, Version
from fhir_server.search.tree import Ids

CREATING = frozenset({"feed", "operator", "open"})
"""The kinds of caller who may choose the id of a new resource."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a conditional interaction is about: the record that its criteria match, or the id that
    a new one gets, which is written unless something matches by then.
    """

    id: str
    unless: Query | None = None
    existing: Version | None = None


_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted")


async def update(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write the next version of a resource, or its first where the caller may choose ids."""
    return await carry_out(server, caller, ask, plan_update)


async def plan_update(
    server: Server,
    caller: Caller,
    ask: Interaction,
    without: Ids | None = None,
    target: Target | None = None,
) -> Plan:
    """Return the draft of the next version, or the answer that nothing changes.

    `without` are records that criteria do not match; `target` is what they do, where that is known.
    """
    resource = decode(ask, ask.body)
    if not ask.id:
        target = target or await look_for_target(server, caller, ask, without)
        return await _plan_conditional(server, caller, ask, resource, target)
    refuse_all(ask)
    if resource.get("id") != ask.id:
        raise _wrong_id(ask, ask.id)
    before = await _current(server, caller, ask)
    if before is not None and same(before, ask.body):
        return unchanged(before, ask)
    if before is not None and is_subset(resource):
        words = "A resource that is tagged SUBSETTED would overwrite the whole one with a part."
        raise Unprocessable(Issue("business-rule", words, f"{ask.type}.meta.tag"))
    return await drafted(server, caller, ask, resource, ask.body, before)


async def look_for_target(
    server: Server, caller: Caller, ask: Interaction, without: Ids | None = None
) -> Target:
    """Return what a conditional update is about; raises `PreconditionFailed` for several records.

    https://hl7.org/fhir/R4/http.html#cond-update
    """
    allowed(caller, ask.type, "update")
    query, existing = await the_one(server, caller, ask, ask.query, without)
    given = decode(ask, ask.body).get("id")
    if given is not None and (not isinstance(given, str) or not ID.fullmatch(given)):
        raise BadRequest(Issue("value", "This is no id.", f"{ask.type}.id"))
    if existing is not None and given not in (None, existing.key.id):
        raise _wrong_id(ask, existing.key.id)
    return Target(existing.key.id if existing else given or server.new_id(), query, existing)


async def _plan_conditional(
    server: Server, caller: Caller, ask: Interaction, resource: dict[str, Any], target: Target
) -> Plan:
    is_named = "id" in resource
    settled = replace(ask, params=())
    if target.existing is not None:
        body = ask.body if is_named else fhirjson.encode(resource | {"id": target.id})
        unmoved(target.existing, await server.store.read(target.existing.key))
        return await plan_update(server, caller, replace(settled, id=target.id, body=body))
    allowed(caller, ask.type, "create")
    check_match(ask, None)
    if not is_named:
        return await draft_new(server, caller, ask, target.id, target.unless)
    named = replace(settled, id=target.id)
    if await find_changeable(server, caller, named.key, "update") is not None:
        raise Conflict(f"{named.key} exists and does not match the criteria.")
    plan = await plan_update(server, caller, named)
    if isinstance(plan, Reply):
        return plan
    return replace(plan, write=replace(plan.write, unless=target.unless))


def _wrong_id(ask: Interaction, id: str) -> BadRequest:
    words = f"The body's id must be {id!r}, the id of what is updated."
    return BadRequest(Issue("invalid", words, f"{ask.type}.id"))


async def _current(server: Server, caller: Caller, ask: Interaction) -> Version | None:
    """Return the version that an update starts from; None where it creates.

    Raises `PreconditionFailed` where If-Match names another, and where there is none `NotAllowed`
    or `Gone` (the caller may not choose ids), `Conflict` (the id is another's).
    """
    before = await find_changeable(server, caller, ask.key, "update")
    check_match(ask, before)
    if before is not None and before.body is not None:
        if ask.if_none_match.strip() == "*":
            raise PreconditionFailed(f"If-None-Match: {ask.key} exists.")
        return before
    if caller.kind not in CREATING or not server.settings.update_create:
        if before is not None:
            raise Gone(f"{ask.key} is deleted.")
        raise NotAllowed(f"There is no {ask.key}; the hub chooses the ids of new resources.")
    allowed(caller, ask.type, "create")
    if before is None and await server.store.read(ask.key) is not None:
        raise Conflict(f"The id {ask.id!r} is taken.")
    return before


def check_match(ask: Interaction, before: Version | None) -> None:
    """Raise `PreconditionFailed` where If-Match does not name the version that is there."""
    if ask.if_match is not None and (before is None or before.vid != ask.if_match):
        raise PreconditionFailed("If-Match names another version than the latest.")


def same(before: Version, body: bytes) -> bool:
    """Return whether a body says exactly, digit for digit, what the version says."""
    tail = fhirjson.tail(body)
    if before.body is None or tail == before.body:
        return tail == before.body
    return _canonical(tail) == _canonical(before.body)


def _canonical(tail: bytes) -> bytes:
    return _sorted.encode(fhirjson.decode(b'{"meta":{"_":0' + tail))
