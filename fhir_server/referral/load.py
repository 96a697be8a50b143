"""Reads what the referral's rules decide from: records and open grants, pending ones included.

In a transaction the store is a `Pending`; its reads see what is about to be written, its searches
do not. `gather` lays the one over the other.
"""

from dataclasses import replace
from typing import Any

import msgspec

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.grant import Grant
from fhir_server.errors import Forbidden
from fhir_server.interactions.find import find
from fhir_server.interactions.pending import Pending, version_of
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Query, Version, Write
from fhir_server.referral.codes import reference_id
from fhir_server.referral.package import Item
from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.tree import Cond, InPatient, Match, Node, both

_PAGE = 200
_DEPTH = 10

Json = dict[str, Any]


async def living(server: Server, key: Key | None) -> Version | None:
    """Return the latest version of a record; None if it is absent or deleted."""
    version = await server.store.read(key) if key else None
    return version if version is not None and version.body is not None else None


async def item(server: Server, caller: Caller, reference: str) -> Item:
    """Return a resource of the package as the caller sees it."""
    type, _, id = reference.partition("/")
    if not (type and id) or "/" in id or not type.isalpha():
        return Item(reference, None)
    try:
        version = await find(server, caller, Key(type, id))
    except Forbidden:
        version = None
    if version is None or version.body is None:
        return Item(reference, None)
    return Item(reference, version.patients, owner_of(version) in caller.organizations)


def owner_of(version: Version | None) -> str:
    """Return the institution that owns a record, `''` if it is not known."""
    entries = version.auth if version is not None else ()
    return next((str(entry.v) for entry in entries if entry.param == "_owner"), "")


async def institution_of(server: Server, organization: str) -> str:
    """Return the top of the organization's `partOf`: the institution that owns what it writes."""
    for _ in range(_DEPTH):
        version = await living(server, Key("Organization", organization))
        above = (
            reference_id(fhirjson.resource(version).get("partOf"), "Organization")
            if version
            else ""
        )
        if not above:
            break
        organization = above
    return organization


async def gather(server: Server, query: Query) -> list[Version]:
    """Return all records that match, those that are pending among them; `where` holds no joins."""
    found: dict[Key, Version] = {}
    more: Query | None = replace(query, limit=_PAGE)
    while more is not None:
        page = await server.store.search(more)
        found |= {version.key: version for version in page.versions}
        more = replace(more, after=page.next) if page.next is not None else None
    for write in server.store.writes if isinstance(server.store, Pending) else ():
        if write.key.type == query.type:
            found.pop(write.key, None)
            if write.body is not None and _matches(query, write):
                found[write.key] = version_of(write, found.get(write.key), query.now)
    return list(found.values())


def _matches(query: Query, write: Write) -> bool:
    record = Plain(write.key, query.now, write.entries, write.patients)
    return evaluate(query.where, record, Plainly(), query.now)


async def open_grants(server: Server, now: int, *more: Node) -> list[Grant]:
    """Return the grants that are not over at `now`."""
    where = both(Match("until", (Cond("v", ">", now),)), *more)
    versions = await gather(server, Query("grant", where, now=now))
    return [grant_of(version.body or b"") for version in versions]


def grant_of(body: bytes) -> Grant:
    """Read a grant from its record's body."""
    return msgspec.convert(fhirjson.decode(body), Grant)


async def active_consents(server: Server, patient: str, now: int) -> list[Json]:
    """Return the patient's active Consents."""
    where = both(InPatient(patient), Match("status", (Cond("v", "=", "active"),)))
    versions = await gather(server, Query("Consent", where, now=now))
    return [fhirjson.resource(version) for version in versions]


async def turnstile(server: Server, patient: str) -> Write:
    """Return the write that lets one decision about a patient's grants through at a time.

    Whoever decides from Consents and grants asks for it before reading them and writes it with the
    rest, on condition that it is as it was: of an acceptance and a withdrawal in the same moment
    the later one decides anew. It is a grant that never holds.
    """
    never = Grant(patient, "", f"Patient/{patient}", 0, 0).write()
    before = await server.store.read(never.key)
    return replace(never, expect=before.vid if before else 0)
