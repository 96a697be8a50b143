"""Find a record as the caller sees it: what is hidden is absent.

The predicate of `authz.decide` is evaluated for the one version that was read; nobody learns from
the answer whether a record that is not for them exists. A Binary is read by those who may read what
its securityContext names: "the referenced resource stands in as a proxy equivalent".
"""

from typing import Any

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, Deny, Verb, decide
from fhir_server.authz.single import permits
from fhir_server.errors import Forbidden, Gone, NotFound
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Version
from fhir_server.search.tree import EVERYTHING, Node


def allowed(caller: Caller, type: str, verb: Verb) -> Allow:
    """Return the predicate under which the caller may do this. Raises `Forbidden`."""
    decision = decide(caller, type, verb)
    if isinstance(decision, Deny):
        raise Forbidden(decision.reason)
    return decision


async def find(
    server: Server, caller: Caller, key: Key, verb: Verb = "read", vid: int | None = None
) -> Version | None:
    """Return a version, or a tombstone, that the caller may do this to; None if absent or hidden.

    An old version is found only if the latest one may be seen too. Raises `Forbidden` where the
    caller may not do this to any record of the type.
    """
    where = allowed(caller, key.type, verb).where
    latest = await server.store.read(key)
    if latest is None or not await sees(server, caller, where, latest):
        return None
    if vid is None or vid == latest.vid:
        return latest
    version = await server.store.read(key, vid)
    if version is None or not await sees(server, caller, where, version):
        return None
    return version


async def sees(server: Server, caller: Caller, where: Node, version: Version) -> bool:
    """Tell whether the caller sees a version, `where` being what he may see of its type."""
    context = security_context(version)
    if context is None or where == EVERYTHING:
        return await permits(server.store, server.opened, caller, where, version)
    return await is_readable(server, caller, context)


async def is_readable(server: Server, caller: Caller, key: Key) -> bool:
    """Tell whether a record is there for the caller to read, and lives."""
    decision = decide(caller, key.type, "read")
    if isinstance(decision, Deny):
        return False
    latest = await server.store.read(key)
    return (
        latest is not None
        and latest.body is not None
        and await permits(server.store, server.opened, caller, decision.where, latest)
    )


def security_context(version: Version) -> Key | None:
    """Return the record that access to a Binary follows; None for other records and other Binaries.

    https://hl7.org/fhir/R4/binary-definitions.html#Binary.securityContext
    """
    if version.key.type != "Binary" or version.body is None:
        return None
    if b'"securityContext"' not in version.body:
        return None
    return context_of(fhirjson.resource(version))


def context_of(binary: dict[str, Any]) -> Key | None:
    """Return what a Binary's securityContext names, if that is a record of this hub.

    >>> context_of({"securityContext": {"reference": "Patient/1"}})
    Key(type='Patient', id='1')
    """
    context = binary.get("securityContext")
    reference = context.get("reference") if isinstance(context, dict) else None
    type, slash, id = str(reference).partition("/")
    return Key(type, id) if slash and type != "Binary" and type.isalpha() else None


async def find_changeable(server: Server, caller: Caller, key: Key, verb: Verb) -> Version | None:
    """Return the latest version, or tombstone, that the caller may change; None if absent or
    hidden.

    Raises `Forbidden` where the caller sees the record and may not change it.
    """
    changeable = allowed(caller, key.type, verb).where
    latest = await server.store.read(key)
    if latest is None or await permits(server.store, server.opened, caller, changeable, latest):
        return latest
    readable = decide(caller, key.type, "read")
    if isinstance(readable, Allow) and await permits(
        server.store, server.opened, caller, readable.where, latest
    ):
        raise Forbidden(f"You may see {key} and not {verb} it.")
    return None


def living(version: Version | None, key: Key) -> Version:
    """Return the version if it is one that lives. Raises `NotFound` or `Gone`."""
    if version is None:
        raise NotFound(f"There is no {key}.")
    if version.body is None:
        raise Gone(f"{key} is deleted.")
    return version
