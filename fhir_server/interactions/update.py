"""FHIR update interaction. https://hl7.org/fhir/R4/http.html#update"""

from typing import Any

import msgspec
from conformance.issues import Issue

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, Conflict, Gone, NotAllowed, PreconditionFailed
from fhir_server.interactions.commit import commit, persist
from fhir_server.interactions.find import allowed, find_changeable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged, written
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import decode, draft, prepare
from fhir_server.model import Version

_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted")

CREATING = frozenset({"feed", "operator", "open"})
"""The kinds of caller who may choose the id of a new resource."""


async def update(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write the next version of a resource, or its first where the caller may choose ids."""
    refuse_all(ask)
    resource = decode(ask, ask.body)
    check_id(ask, resource)

    async def attempt() -> Reply:
        before = await current(server, caller, ask)
        if before is not None and same(before, ask.body):
            return unchanged(before, ask)
        made = draft(server, caller, ask, ask.key, resource, ask.body, before)
        created = before is None or before.body is None
        writes = await prepare(server, caller, made, "create" if created else "update")
        version = (await commit(server, caller, ask, writes, 201 if created else 200))[0]
        return written(version, ask, created=created)

    return await persist(attempt, ask)


def check_id(ask: Interaction, resource: dict[str, Any]) -> None:
    """Raise `BadRequest` where the body does not carry the id of the address."""
    if resource.get("id") != ask.id:
        raise BadRequest(
            Issue(
                "invalid", f"The body's id must be {ask.id!r}, as in the address.", f"{ask.type}.id"
            )
        )


async def current(server: Server, caller: Caller, ask: Interaction) -> Version | None:
    """Return the version that an update starts from; None where it creates.

    Raises `PreconditionFailed` where If-Match names another, and where there is none `NotAllowed` or
    `Gone` (the caller may not choose ids), `Conflict` (the id is another's).
    """
    before = await find_changeable(server, caller, ask.key, "update")
    check_match(ask, before)
    if before is not None and before.body is not None:
        return before
    if caller.kind not in CREATING:
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
        raise PreconditionFailed(
            f"If-Match names version {ask.if_match} of {ask.key}; it is not the latest.",
            key=ask.key,
        )


def same(before: Version, body: bytes) -> bool:
    """Return whether a body says exactly, digit for digit, what the version says."""
    tail = fhirjson.tail(body)
    if before.body is None or tail == before.body:
        return tail == before.body
    return _canonical(tail) == _canonical(before.body)


def _canonical(tail: bytes) -> bytes:
    return _sorted.encode(fhirjson.decode(b'{"meta":{"_":0' + tail))
