"""Criteria that select the record of a conditional interaction.

https://hl7.org/fhir/R4/http.html#ccreate

They are read as a search is, under the caller's predicate: a hidden record never matches.
"""

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest, PreconditionFailed
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.query import params as query_params
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Version
from fhir_server.search.parse import parse
from fhir_server.search.results import MANY, ONCE
from fhir_server.search.search import Search
from fhir_server.search.terms import Terms
from fhir_server.search.tree import And, Chain, Has, Node, Not, Or, both

MOST_NODES = 5000
MOST_ALTERNATIVES = 400


def terms(server: Server, caller: Caller, ask: Interaction) -> Terms:
    """Return the terms on which the search of a request is read."""
    return Terms(
        base=ask.base,
        now=caller.now,
        page=server.settings.page,
        page_limit=server.settings.page_limit,
        lenient=not ask.strict,
    )


def asked(server: Server, caller: Caller, ask: Interaction, type: str, params: Params) -> Search:
    """Return the search that parameters ask for. Raises `BadRequest` also for too many."""
    search = parse(server.definitions, type, params, terms(server, caller, ask))
    if _size(search.where) > MOST_NODES or _widest(search.where) > MOST_ALTERNATIVES:
        raise BadRequest(f"The query has more than {MOST_ALTERNATIVES} alternatives; split it.")
    return search


def _size(node: Node) -> int:
    return 1 + sum(map(_size, _inside(node)))


def _widest(node: Node) -> int:
    inside = _inside(node)
    here = len(inside) if isinstance(node, Or) else 1
    return max(here, *map(_widest, inside)) if inside else here


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case And(nodes) | Or(nodes):
            return nodes
        case Not(inner):
            return (inner,)
        case Chain(_, _, where) | Has(_, _, where):
            return (where,)
        case _:
            return ()


async def matching(
    server: Server, caller: Caller, ask: Interaction, text: str, type: str = ""
) -> tuple[Query, tuple[Version, ...]]:
    """Return the query that criteria are, and up to two records of `type` (`ask.type`) that match.

    Raises `BadRequest` where there are no criteria.
    """
    params = query_params(text.rpartition("?")[2])
    for name, _ in params:
        if name in ONCE or name in MANY:
            raise BadRequest(f"{name} is no criterion.")
    if not params:
        raise BadRequest("A conditional interaction needs criteria.")
    type = type or ask.type
    permitted = allowed(caller, type, "search").where
    search = asked(server, caller, ask, type, params)
    query = Query(type, both(permitted, restrict(search.where, caller)), limit=2, now=caller.now)
    return query, (await server.store.search(query)).versions


def refuse_several(found: tuple[Version, ...], text: str) -> None:
    """Raise `PreconditionFailed` where criteria match more than one record."""
    if len(found) > 1:
        raise PreconditionFailed(f"Several records match {text[:200]!r}; one at most is expected.")
