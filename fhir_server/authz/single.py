"""Decide about one record in memory, by the predicate that a search would have been joined with."""

from collections.abc import Sequence
from typing import Protocol

from fhir_server.authz.caller import Caller
from fhir_server.authz.grant import active
from fhir_server.authz.opened import Opened
from fhir_server.model import Key, Page, Query, Value, Version
from fhir_server.search.evaluate import NOWHERE, Plainly, authorizable, evaluate
from fhir_server.search.tree import (
    And,
    Cond,
    ForEachPatient,
    Has,
    InPatient,
    Match,
    Node,
    Or,
    either,
)

_PAGE = 200


class Asked(Protocol):
    """What of a store is needed here."""

    async def search(self, query: Query) -> Page:
        """Return a page of living records."""

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the number of each record's latest version."""


async def permits(
    store: Asked, opened: Opened, caller: Caller, where: Node, version: Version
) -> bool:
    """Say whether `where` holds of a version; its grants are read only if nothing else decides.

    Those that opened a record before are only compared with what the store has now.
    """
    known = opened.get(caller, version)
    if holds(where, version, known, caller.now):
        if await _are_latest(store, known):
            return True
    elif not needs_grants(where):
        return False
    grants = await _grants(store, caller, version)
    permitted = holds(where, version, grants, caller.now)
    if permitted:
        opened.keep(caller, version, grants)
    return permitted


async def _are_latest(store: Asked, grants: Sequence[Version]) -> bool:
    if not grants:
        return True
    vids = await store.vids([grant.key for grant in grants])
    return all(grant.vid == vid for grant, vid in zip(grants, vids, strict=True))


async def _grants(store: Asked, caller: Caller, version: Version) -> list[Version]:
    grants: list[Version] = []
    query: Query | None = grants_for(caller, version)
    while query is not None:
        page = await store.search(query)
        grants += page.versions
        query = grants_for(caller, version, page.next) if page.next is not None else None
    return grants


def holds(where: Node, version: Version, grants: Sequence[Version], now: int) -> bool:
    """Say whether `where` holds of a version, with these grants and no others at `now`."""
    world = Plainly(authorizable(grant) for grant in grants) if grants else NOWHERE
    return evaluate(where, authorizable(version), world, now)


def needs_grants(where: Node) -> bool:
    """Say whether grants may make `where` hold; they never make it fail (decide negates none)."""
    match where:
        case And(nodes) | Or(nodes):
            return any(map(needs_grants, nodes))
        case Has(type, _, _) | ForEachPatient(type, _):
            return type == "grant"
        case _:
            return False


def grants_for(
    caller: Caller, version: Version, after: tuple[Value | None, ...] | None = None
) -> Query:
    """Return the query for the grants that may let this caller see this version."""
    recipient = Match("recipient", (Cond("v", "in", tuple(sorted(caller.organizations))),))
    about = either(
        Match("resource", (Cond("v", "=", str(version.key)),)), *map(InPatient, version.patients)
    )
    return Query("grant", active(recipient, about), limit=_PAGE, after=after, now=caller.now)
