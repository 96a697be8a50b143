"""What `_include` and `_revinclude` add to a page, searched under the caller's predicate.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Sequence
from dataclasses import replace

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict, visible
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Version
from fhir_server.search.include import plan
from fhir_server.search.search import Search
from fhir_server.search.tree import both

_MAX_ROUNDS = 10

Added = tuple[list[Version], tuple[Issue, ...]]


async def included(
    server: Server, caller: Caller, search: Search, matches: Sequence[Version]
) -> Added:
    """Return what is added to the matches, each record once, and a warning if that is not all."""
    if not search.includes and not search.revincludes:
        return [], ()
    limit = server.settings.include_limit
    added: list[Version] = []
    known = {version.key for version in matches}
    fresh = list(matches)
    for number in range(_MAX_ROUNDS):
        queries = plan(
            server.extractor,
            search,
            [(version.key, fhirjson.resource(version)) for version in fresh],
            known=frozenset(known),
            again=number > 0,
        )
        fresh = []
        for query in queries:
            for version in await _visible(server, caller, query, limit + 1 - len(added)):
                if version.key not in known:
                    known.add(version.key)
                    fresh.append(version)
                    added.append(version)
            if len(added) > limit:
                return added[:limit], (_incomplete(limit),)
        if not fresh:
            break
    return added, ()


async def _visible(server: Server, caller: Caller, query: Query, limit: int) -> tuple[Version, ...]:
    where = both(visible(caller, query.type), restrict(query.where, caller))
    page = await server.store.search(replace(query, where=where, limit=limit, now=caller.now))
    return page.versions


def _incomplete(limit: int) -> Issue:
    return Issue("too-costly", f"More than {limit} resources would be included.", "", "warning")
