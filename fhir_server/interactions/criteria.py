"""Criteria that select the record of a conditional interaction.

https://hl7.org/fhir/R4/http.html#ccreate

They are read as a search is, under the caller's predicate: a hidden record never matches.
"""

from urllib.parse import parse_qsl

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest, PreconditionFailed
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Version
from fhir_server.search.parse import parse
from fhir_server.search.results import MANY, ONCE
from fhir_server.search.terms import Terms
from fhir_server.search.tree import both


def terms(server: Server, caller: Caller, ask: Interaction) -> Terms:
    """Return the terms on which the search of a request is read."""
    return Terms(
        base=ask.base,
        now=caller.now,
        page=server.settings.page,
        page_limit=server.settings.page_limit,
        lenient=not ask.strict,
    )


def params_of(text: str) -> Params:
    """Return the parameters of criteria written as a query string, perhaps behind `Type?`.

    >>> params_of("?identifier=a%7Cb")
    (('identifier', 'a|b'),)
    """
    return tuple(parse_qsl(text.rpartition("?")[2], keep_blank_values=True))


async def matching(
    server: Server, caller: Caller, ask: Interaction, text: str, type: str = ""
) -> tuple[Query, tuple[Version, ...]]:
    """Return the query that criteria are, and up to two records of `type` (`ask.type`) that match.

    Raises `BadRequest` where there are no criteria.
    """
    params = params_of(text)
    for name, _ in params:
        if name in ONCE or name in MANY:
            raise BadRequest(f"{name} is no criterion.")
    if not params:
        raise BadRequest("A conditional interaction needs criteria.")
    type = type or ask.type
    permitted = allowed(caller, type, "search").where
    search = parse(server.definitions, type, params, terms(server, caller, ask))
    query = Query(type, both(permitted, restrict(search.where, caller)), limit=2, now=caller.now)
    return query, (await server.store.search(query)).versions


def refuse_several(found: tuple[Version, ...], text: str) -> None:
    """Raise `PreconditionFailed` where criteria match more than one record."""
    if len(found) > 1:
        raise PreconditionFailed(f"Several records match {text[:200]!r}; one at most is expected.")
