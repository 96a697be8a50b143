"""FHIR search interaction on a type, and on a type in a patient's compartment.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.interactions.bundle import bundle, found
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.criteria import asked
from fhir_server.interactions.find import allowed
from fhir_server.interactions.included import included
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import outcome
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import Subset
from fhir_server.model import Page, Query
from fhir_server.search.search import Search
from fhir_server.search.tree import EVERYTHING, InPatient, Node, both


async def search_type(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a page of what matches and the caller may see, and what it includes."""
    inside = await _compartment(server, caller, ask)
    permitted = allowed(caller, ask.type, "search").where
    search = await asked(server, caller, ask, ask.type, ask.params)
    _refuse_mix(search)
    query = Query(
        type=ask.type,
        where=both(permitted, inside, restrict(search.where, caller)),
        sort=search.sort,
        limit=search.count,
        now=caller.now,
    )
    if search.count == 0 or search.summary == "count":
        total = await server.store.count(query)
        return Reply(200, bundle("searchset", (), links=[_self(ask, search)], total=total))
    return await _page(server, caller, ask, search, query)


async def _page(
    server: Server, caller: Caller, ask: Interaction, search: Search, query: Query
) -> Reply:
    bind = _bind(caller, ask, search)
    if search.cursor:
        query = replace(query, after=server.signer.open(search.cursor, bind))
    page = await server.store.search(query)
    more, problems = await included(server, caller, search, page.versions)
    links = [_self(ask, search)]
    if page.next is not None:
        links.append(("next", _url(ask, search, server.signer.seal(page.next, bind))))
    content = Subset(search.summary, search.elements, ask.type).content(server.definitions)
    entries = [found(ask.base, version, "match", content) for version in page.versions]
    entries += [found(ask.base, version, "include", content) for version in more]
    entries += _told(replace(search, problems=search.problems + problems))
    total = await _total(server, search, query, page)
    body = bundle("searchset", entries, links=links, total=total)
    versions = (*page.versions, *more)
    return Reply(200, body, patients=concerned(version.patients for version in versions))


async def _compartment(server: Server, caller: Caller, ask: Interaction) -> Node:
    """Return the predicate of the compartment that is searched. Raises `NotFound`, `NotSupported`.

    https://hl7.org/fhir/R4/compartmentdefinition.html
    """
    if ask.compartment is None:
        return EVERYTHING
    if ask.compartment.type != "Patient":
        raise NotSupported("Only the compartment of a Patient can be searched yet.")
    if ask.type == "*":
        raise NotSupported("A compartment is searched for one type at a time yet.")
    if ask.type not in server.definitions.compartment("Patient"):
        raise BadRequest(f"{ask.type} is never in the compartment of a Patient.")
    return InPatient(ask.compartment.id)


def _refuse_mix(search: Search) -> None:
    """ "The _include and _revinclude parameters cannot be mixed with _summary=text." """
    if search.summary == "text" and (search.includes or search.revincludes):
        raise BadRequest("_include and _revinclude cannot be mixed with _summary=text.")


async def _total(server: Server, search: Search, query: Query, page: Page) -> int | None:
    """Return the number of matches if it was asked for, or costs nothing."""
    if search.total == "none":
        return None
    if page.next is None and query.after is None:
        return len(page.versions)
    if search.total in ("accurate", "estimate"):
        return await server.store.count(query)
    return None


def _told(search: Search) -> Sequence[bytes]:
    """Return what is to be said about the search itself, as an entry."""
    if not search.problems:
        return ()
    resource = fhirjson.encode(outcome(search.problems))
    return [b'{"resource":' + resource + b',"search":{"mode":"outcome"}}']


def _bind(caller: Caller, ask: Interaction, search: Search) -> str:
    used = [pair for pair in search.used if pair[0] != "_cursor"]
    place = [ask.type, str(ask.compartment or ""), caller.account, caller.role, caller.patient]
    return fhirjson.encode([place, used]).decode()


def _self(ask: Interaction, search: Search) -> tuple[str, str]:
    return "self", _url(ask, search, search.cursor)


def _url(ask: Interaction, search: Search, cursor: str) -> str:
    pairs = [pair for pair in search.used if pair[0] != "_cursor"]
    if cursor:
        pairs.append(("_cursor", cursor))
    place = f"{ask.compartment}/{ask.type}" if ask.compartment else ask.type
    return f"{ask.base}/{place}" + (f"?{urlencode(pairs)}" if pairs else "")
