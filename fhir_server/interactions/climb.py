"""Records above or below another in the hierarchy of their type, as the caller sees them.

https://hl7.org/fhir/R4/search.html#recursive

What is hidden from the caller has, for this caller, nothing above it and nothing below.
"""

from collections.abc import AsyncIterator

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Version
from fhir_server.search.tree import Along, Cond, Ids, Match, Node, both
from terminology.errors import TooCostly

MOST = 10_000
_PAGE = 1000


async def climbed(server: Server, caller: Caller, along: Along) -> Node:
    """Return that a reference is to one of the records or to one on its side.

    Raises `TooCostly` for more than MOST besides.
    """
    type, found = along.type, set(along.ids)
    edge = found
    while edge:
        step = _above if along.direction == "above" else _below
        edge = {id async for id in step(server, caller, along, edge)} - found
        found |= edge
        if len(found) > MOST + len(along.ids):
            first = min(along.ids)
            raise TooCostly(f"More than {MOST} records are {along.direction} {type}/{first}")
    references = tuple(f"{type}/{id}" for id in sorted(found))
    return Match(along.param, (Cond("v", "in", references),))


async def _below(server: Server, caller: Caller, along: Along, ids: set[str]) -> AsyncIterator[str]:
    parents = tuple(f"{along.type}/{id}" for id in sorted(ids))
    where = Match(along.parent, (Cond("v", "in", parents),))
    async for version in _all(server, caller, along.type, where):
        yield version.key.id


async def _above(server: Server, caller: Caller, along: Along, ids: set[str]) -> AsyncIterator[str]:
    type = along.type
    async for version in _all(server, caller, type, Ids(frozenset(ids))):
        resource = fhirjson.resource(version)
        for entry in server.extractor.references(resource, (along.parent,)):
            kind, _, id = str(entry.v).partition("/")
            if kind == type and entry.param == along.parent:
                yield id


async def _all(server: Server, caller: Caller, type: str, where: Node) -> AsyncIterator[Version]:
    allowed = both(visible(caller, type), where)
    query = Query(type, allowed, limit=_PAGE, now=caller.now)
    while True:
        page = await server.store.search(query)
        for version in page.versions:
            yield version
        if page.next is None:
            return
        query = Query(type, allowed, limit=_PAGE, now=caller.now, after=page.next)
