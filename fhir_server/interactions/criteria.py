"""Criteria that select the record of a conditional interaction.

https://hl7.org/fhir/R4/http.html#ccreate

They are read as a search is, under the caller's predicate: a hidden record never matches.
"""

from dataclasses import replace
from typing import NamedTuple

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest, PreconditionFailed
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.query import asked as asked_by
from fhir_server.interactions.server import Server
from fhir_server.interactions.terminology import resolved
from fhir_server.model import Query, Version
from fhir_server.search.contained import chained
from fhir_server.search.parse import parse
from fhir_server.search.results import MANY, ONCE
from fhir_server.search.search import Search
from fhir_server.search.terms import Terms
from fhir_server.search.tree import And, Chain, Has, Ids, Node, Not, Or, both

MOST_VALUES = 5000
"""Values of one parameter; a list that is too long for an address is POSTed to `_search`."""
MOST_NODES = 20_000
_MOST_IN_BETWEEN = 100


def terms(server: Server, caller: Caller, ask: Interaction) -> Terms:
    """Return the terms on which the search of a request is read."""
    return Terms(
        base=ask.base,
        now=caller.now,
        page=server.settings.page,
        page_limit=server.settings.page_limit,
        lenient=not ask.strict,
        blocked=server.index.known.blocked,
        progress=server.index.told(),
        full_text=server.extractor.full_text,
    )


async def asked(
    server: Server,
    caller: Caller,
    ask: Interaction,
    type: str,
    params: Params,
    found: frozenset[str] | None = None,
) -> Search:
    """Return the search that parameters ask for of a type, one of those that are `found`.

    It is in words that every store understands. Raises `BadRequest` also for too many values,
    and for what a terminology cannot tell.
    """
    for name, text in params:
        if text.count(",") >= MOST_VALUES:
            raise BadRequest(f"{name} has more than {MOST_VALUES} values; split the list.")
    search = parse(server.definitions, type, params, terms(server, caller, ask), found)
    if _size(search.where) > MOST_NODES:
        raise BadRequest(f"The query has more than {MOST_NODES} conditions; split it.")
    where = chained(await resolved(server, caller, search.where))
    return search if where is search.where else replace(search, where=where)


def _size(node: Node) -> int:
    return 1 + sum(map(_size, _inside(node)))


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case And(nodes) | Or(nodes):
            return nodes
        case Not(inner):
            return (inner,)
        case Chain() | Has():
            return (node.where,)
        case _:
            return ()


class Found(NamedTuple):
    """What criteria mean, and the first of the records that match."""

    query: Query
    versions: tuple[Version, ...]


async def the_one(
    server: Server, caller: Caller, ask: Interaction, text: str, without: Ids | None = None
) -> tuple[Query, Version | None]:
    """Return what criteria mean, and the one record that matches them, None for none.

    Raises `PreconditionFailed` for several. Of those that came into being since the request did,
    only the first counts: the request might as well have been done right after it. So of many
    conditional creates at once none is refused because of a plain one in between.
    """
    query, found = await matching(server, caller, ask, text, without=without)
    if len(found) > 1:
        all = (await server.store.search(replace(query, limit=_MOST_IN_BETWEEN))).versions
        fresh = [each for each in all if each.vid == 1 and each.updated >= caller.now]
        old = tuple(each for each in all if each not in fresh)
        found = old or (min(fresh, key=lambda each: each.updated),)
    if len(found) > 1:
        raise PreconditionFailed(f"Several records match {text[:200]!r}; one at most is expected.")
    return query, found[0] if found else None


async def matching(
    server: Server,
    caller: Caller,
    ask: Interaction,
    text: str,
    *,
    without: Ids | None = None,
    most: int = 1,
) -> Found:
    """Return what criteria match among the records of `ask.type`: `most` of them, and one more.

    `without` are records that do not count. Raises `BadRequest` where there are no criteria.
    """
    params = asked_by(text.rpartition("?")[2])
    for name, _ in params:
        if name in ONCE or name in MANY:
            raise BadRequest(f"{name} is no criterion.")
    if not params:
        raise BadRequest("A conditional interaction needs criteria.")
    permitted = allowed(caller, ask.type, "search").where
    search = await asked(server, caller, ask, ask.type, params)
    where = both(permitted, restrict(search.where, caller))
    if without is not None and without.ids:
        where = both(where, Not(without))
    query = Query(ask.type, where, limit=most + 1, now=caller.now)
    return Found(query, (await server.store.search(query)).versions)
