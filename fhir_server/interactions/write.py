"""The one way from a resource to what is committed.

1. A draft: the id is forced, the resource is checked (all problems in one answer), its index
   entries are extracted, its owner is the caller's institution at creation and stays so.
2. Approval: the new state must be one that the caller may leave behind, about patients whom the
   caller may write about; a patient who is hidden is as one who is absent.
3. The write rules of its type add what belongs into the same commit, or refuse.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import AUTHORIZING, Allow, Verb, decide, own
from fhir_server.authz.single import permits
from fhir_server.errors import BadRequest, Forbidden, Unprocessable
from fhir_server.interactions.breath import aside
from fhir_server.interactions.find import allowed, context_of, is_readable
from fhir_server.interactions.index import Known, other_version
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.pending import version_of
from fhir_server.interactions.server import Change, Server
from fhir_server.model import Entry, Key, Version, Write

OWNER = "_owner"


@dataclass(frozen=True, slots=True)
class Draft:
    """A record's next state, not approved yet; `after=None` deletes it."""

    ask: Interaction
    verb: Verb
    before: Version | None
    after: dict[str, Any] | None
    write: Write

    @property
    def key(self) -> Key:
        """Return the record's name."""
        return self.write.key

    @property
    def created(self) -> bool:
        """Return whether the record comes, or comes back, into being."""
        return self.before is None or self.before.body is None


Plan = Draft | Reply
"""What is to be written, or the answer where nothing is."""


def decode(ask: Interaction, body: bytes) -> dict[str, Any]:
    """Return the resource that a body holds. Raises `BadRequest` where it is not one of
    `ask.type`.
    """
    resource = fhirjson.decode(body)
    if not isinstance(resource, dict):
        raise BadRequest("The body is not a JSON object.")
    if resource.get("resourceType") != ask.type:
        raise BadRequest(
            Issue(
                "invalid",
                f"The body is not a {ask.type}.",
                f"{ask.type}.resourceType",
            )
        )
    check_meta(resource)
    return resource


def check_meta(resource: dict[str, Any]) -> None:
    """Raise `Unprocessable` where `meta`, which the hub itself reads and writes, is no object."""
    if not isinstance(resource.get("meta", {}), dict):
        place = f"{resource['resourceType']}.meta"
        raise Unprocessable(Issue("structure", "An object is expected.", place))


def draft(
    server: Server,
    caller: Caller,
    ask: Interaction,
    resource: dict[str, Any],
    body: bytes,
    before: Version | None,
) -> Draft:
    """Check and index a resource that will be `ask.key`'s next state. Raises `Unprocessable`.

    Its verb is create or update by whether there is a living version before it.
    """
    resource["id"] = ask.id
    if problems := server.checks.problems(server.validator, caller, resource):
        raise Unprocessable(*problems)
    write = derived(server, ask.key, resource, before, caller.organization, body)
    verb: Verb = "create" if before is None or before.body is None else "update"
    return Draft(ask, verb, before, resource, write)


async def drafted(
    server: Server,
    caller: Caller,
    ask: Interaction,
    resource: dict[str, Any],
    body: bytes,
    before: Version | None,
) -> Draft:
    """Do as `draft`, in a thread where the resource is large."""
    return await aside(len(body), draft, server, caller, ask, resource, body, before)


def derived(
    server: Server,
    key: Key,
    resource: dict[str, Any],
    before: Version | None,
    owner: str,
    body: bytes | None = None,
) -> Write:
    """Return the write of a resource that is known to be sound; a write rule's own changes are
    made so.

    `owner` is the institution of a new record; one that has been there keeps its own. `body` is the
    resource as it was sent, where it was.
    """
    kept = [entry for entry in before.auth if entry.param == OWNER] if before else []
    made = Write(
        key,
        fhirjson.tail(fhirjson.encode(resource) if body is None else body),
        method="POST" if before is None and body is None else "PUT",
        expect=before.vid if before else 0,
    )
    return indexed(server.index.known, made, resource, kept or [Entry(OWNER, owner)])


def indexed(known: Known, write: Write, resource: dict[str, Any], own: Iterable[Entry]) -> Write:
    """Return a write with all that the record is found by; `own` are entries not of the resource.

    Raises `Busy` where another version of the hub indexes the type.
    """
    if write.key.type in known.foreign:
        raise other_version(write.key.type)
    entries = (*known.extractor.entries(resource), *own)
    return replace(
        write,
        entries=entries,
        auth=tuple(entry for entry in entries if entry.param in AUTHORIZING),
        patients=known.extractor.patients(write.key, entries),
        text=known.extractor.text(resource),
        under=known.vid,
    )


def removal(ask: Interaction, before: Version) -> Draft:
    """Return the draft that deletes: the tombstone keeps what authorization may ask for."""
    write = Write(
        before.key,
        None,
        auth=before.auth,
        patients=before.patients,
        method="DELETE",
        expect=before.vid,
    )
    return Draft(ask, "delete", before, None, write)


async def approve(server: Server, caller: Caller, made: Draft) -> list[Write]:
    """Return what else is written with a draft.

    Raises `Forbidden` or `Unprocessable` where the caller may not leave this state behind, and what
    the type's write rules raise.
    """
    if made.after is not None:
        await _approve_state(server, caller, made)
    before = made.before
    change = Change(
        key=made.key,
        before=fhirjson.resource(before) if before and before.body is not None else None,
        after=made.after,
        version=before,
        ask=made.ask,
    )
    rules = (*server.write_rules.get(made.key.type, ()), *server.write_rules.get("*", ()))
    added = {write.key: write for rule in rules for write in await rule(server, caller, change)}
    return list(added.values())


async def _approve_state(server: Server, caller: Caller, made: Draft) -> None:
    permit = allowed(caller, made.key.type, made.verb)
    state = version_of(made.write, made.before, caller.now)
    if not await permits(server.store, server.opened, caller, permit.where, state):
        raise Forbidden(f"You may not {made.verb} a {made.key.type} like this one.")
    context = context_of(made.after or {}) if made.key.type == "Binary" else None
    if context is not None and not await is_readable(server, caller, context):
        where = "Binary.securityContext"
        raise Unprocessable(Issue("not-found", f"There is no {context}.", where))
    for patient in made.write.patients:
        if Key("Patient", patient) == made.key:
            continue
        if not await _may_write_about(server, caller, permit, patient):
            raise Unprocessable(
                Issue("not-found", f"There is no Patient/{patient}.", made.key.type)
            )


async def _may_write_about(server: Server, caller: Caller, permit: Allow, patient: str) -> bool:
    if permit.subjects == "any":
        return True
    version = await server.store.read(Key("Patient", patient))
    if version is None or version.body is None:
        return False
    if permit.subjects == "owned":
        return await permits(server.store, server.opened, caller, own(caller), version)
    readable = decide(caller, "Patient", "read")
    return isinstance(readable, Allow) and await permits(
        server.store, server.opened, caller, readable.where, version
    )
