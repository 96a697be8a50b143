"""FHIR search interaction: on a type, on several, on those of a compartment.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html

Each type is searched under its own predicate; `reach` says which types and under which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest
from fhir_server.interactions import merged
from fhir_server.interactions.agreement import agreement
from fhir_server.interactions.bundle import bundle, found
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.criteria import asked
from fhir_server.interactions.explain import check, explained
from fhir_server.interactions.included import Added, included
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.merged import Merged, Ranked, Spot
from fhir_server.interactions.outcome import outcome
from fhir_server.interactions.paging import Start, opened
from fhir_server.interactions.reach import Reach, reach, to_trail
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import Content, Subset
from fhir_server.interactions.trail import trail
from fhir_server.model import Query, Version
from fhir_server.search.search import Search
from fhir_server.search.tree import both
from fhir_server.store.explanation import Total


@dataclass(frozen=True, slots=True)
class _Task:
    """One search, read: `searches` has one of each type; in all but `where` they are alike."""

    ask: Interaction
    over: Reach
    searches: Mapping[str, Search]

    @property
    def search(self) -> Search:
        """Return what shapes the answer."""
        return next(iter(self.searches.values()))

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters that are followed, but for the page."""
        return (*self.over.used, *(p for p in self.search.used if p[0] != "_cursor"))

    def url(self, cursor: str) -> str:
        """Return the address of a page."""
        pairs = [*self.used, *([("_cursor", cursor)] if cursor else [])]
        place = "/".join(part for part in (self.ask.base, self.over.place) if part)
        return place + (f"?{urlencode(pairs)}" if pairs else "")

    def bind(self, caller: Caller) -> str:
        """Return what a cursor holds for: this query of this caller."""
        who = [caller.account, caller.role, caller.patient]
        return fhirjson.encode([self.over.place, who, self.used]).decode()


@dataclass(frozen=True, slots=True)
class _Turn:
    """A search at one of its pages; `bind` is what cursors hold for."""

    server: Server
    task: _Task
    bind: str

    def url(self, start: Start) -> str:
        """Return the address of the page that begins there."""
        return self.task.url(start.seal(self.server.signer, self.bind))


async def search_type(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a page of what matches and the caller may see, and what it includes."""
    apart = to_trail(server, ask)
    if apart is not None:
        return await trail(server, caller, apart)
    over = await reach(server, caller, ask)
    task = _Task(ask, over, await _searches(server, caller, ask, over))
    _refuse_mix(task.search)
    if task.search.explain:
        check(caller)
    queries = await _queries(server, caller, task)
    if task.search.count == 0 or task.search.summary == "count":
        total = await merged.count(server.store, queries)
        told = _told(await explained(server.store, queries)) if task.search.explain else ()
        links = [("self", task.url(task.search.cursor))]
        return Reply(200, bundle("searchset", told, links=links, total=total))
    return await _page(server, caller, task, queries)


async def _searches(
    server: Server, caller: Caller, ask: Interaction, over: Reach
) -> dict[str, Search]:
    """Return what is asked of each type; what lenience leaves out of one is left out of all."""
    found = frozenset(over.types)
    read = {type: await asked(server, caller, ask, type, over.params, found) for type in over.types}
    problems = tuple(dict.fromkeys(p for search in read.values() for p in search.problems))
    if not problems or len(read) == 1:
        return read
    params = tuple(p for p in over.params if all(p in search.used for search in read.values()))
    again = {type: await asked(server, caller, ask, type, params, found) for type in over.types}
    return {type: replace(search, problems=problems) for type, search in again.items()}


async def _queries(server: Server, caller: Caller, task: _Task) -> list[Ranked]:
    """Return a query for each type of which there is anything that the caller may search."""
    types = task.over.types
    there = frozenset(types) if len(types) == 1 else await server.store.types()
    return [
        Ranked(rank, _query(caller, task.over, task.searches[type]))
        for rank, type in enumerate(types)
        if type in there and type in task.over.where
    ]


def _query(caller: Caller, over: Reach, search: Search) -> Query:
    return Query(
        type=search.type,
        where=both(over.where[search.type], restrict(search.where, caller)),
        sort=search.sort,
        limit=search.count,
        now=caller.now,
    )


async def _page(server: Server, caller: Caller, task: _Task, queries: Sequence[Ranked]) -> Reply:
    turn = _Turn(server, task, task.bind(caller))
    start = opened(server.signer, task.search.cursor, turn.bind)
    if start.until is not None:
        return await _rest(caller, turn, queries, start, start.until)
    page = await merged.page(server.store, queries, start.after)
    added = await included(server, caller, task.search, page.versions)
    links = [("first", task.url(""))]
    if page.more:
        links.append(("next", turn.url(Start(page.spots[-1]))))
    if added.next is not None:
        links.append(("related", turn.url(Start(start.after, page.spots[-1], added.next))))
    total = await _total(server, task.search, queries, page, start.after)
    told = await explained(server.store, queries) if task.search.explain else ()
    return _answer(turn, page.versions, added, links, total, told)


async def _rest(
    caller: Caller, turn: _Turn, queries: Sequence[Ranked], start: Start, until: Spot
) -> Reply:
    """Answer with more of what the matches of a page include."""
    server, search = turn.server, turn.task.search
    matches = await merged.between(server.store, queries, start.after, until)
    added = await included(server, caller, search, matches, start.at)
    links = [("first", turn.task.url(""))]
    if added.next is not None:
        links.append(("related", turn.url(replace(start, at=added.next))))
    return _answer(turn, (), added, links)


def _answer(
    turn: _Turn,
    matches: Sequence[Version],
    added: Added,
    links: Sequence[tuple[str, str]],
    total: Total | None = None,
    told: Sequence[Issue] = (),
) -> Reply:
    server, task = turn.server, turn.task
    search, base = task.search, task.ask.base
    contents = _contents(server, task)
    whole = Subset(search.summary).content(server.definitions)
    entries = [
        found(base, each, "match", contents[each.key.type], agreement(search, each))
        for each in matches
    ]
    entries += [found(base, each, "include", whole) for each in added.versions]
    entries += _told((*search.problems, *added.problems, *_continued(added), *told))
    links = [("self", task.url(search.cursor)), *links]
    versions = (*matches, *added.versions)
    return Reply(
        200,
        bundle("searchset", entries, links=links, total=total),
        patients=concerned(version.patients for version in versions),
    )


def _contents(server: Server, task: _Task) -> dict[str, Content]:
    """Return what shows the matches of each type."""
    return {
        type: Subset(search.summary, search.elements, type).content(server.definitions)
        for type, search in task.searches.items()
    }


def _refuse_mix(search: Search) -> None:
    """ "The _include and _revinclude parameters cannot be mixed with _summary=text." """
    if search.summary == "text" and (search.includes or search.revincludes):
        raise BadRequest("_include and _revinclude cannot be mixed with _summary=text.")


async def _total(
    server: Server, search: Search, queries: Sequence[Ranked], page: Merged, after: Spot | None
) -> Total | None:
    """Return the number of matches if it was asked for, or costs nothing."""
    if search.total == "none":
        return None
    if not page.more and after is None:
        return Total(len(page.versions))
    if search.total == "accurate":
        return Total(await merged.count(server.store, queries))
    if search.total == "estimate":
        return await merged.estimate(server.store, queries)
    return None


def _continued(added: Added) -> Sequence[Issue]:
    if added.next is None:
        return ()
    words = "What is included does not fit this page; the link 'related' leads to the rest."
    return (Issue("informational", words, "", "information"),)


def _told(problems: Sequence[Issue]) -> Sequence[bytes]:
    """Return what is to be said about the search itself, as an entry."""
    if not problems:
        return ()
    resource = fhirjson.encode(outcome(problems))
    return [b'{"resource":' + resource + b',"search":{"mode":"outcome"}}']
