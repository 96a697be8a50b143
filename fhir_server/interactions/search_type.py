"""FHIR search interaction: on a type, on several, on those of a compartment.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html

Each type is searched under its own predicate; `reach` says which types and under which.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urlencode

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest
from fhir_server.interactions import containers, merged, paging
from fhir_server.interactions.agreement import agreement
from fhir_server.interactions.bundle import bundle, found, outcome_entry
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.criteria import asked
from fhir_server.interactions.explain import check, explained
from fhir_server.interactions.included import Added, included
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.merged import Merged, Ranked, Spot
from fhir_server.interactions.paging import FIRST, Start, opened
from fhir_server.interactions.reach import Reach, reach, to_trail
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import Content, Subset
from fhir_server.interactions.trail import trail
from fhir_server.model import Query
from fhir_server.search.search import Search
from fhir_server.search.tree import both
from fhir_server.store.explanation import Total


@dataclass(frozen=True, slots=True)
class _Task:
    """One search, read: `searches` has one of each type; in all but `where` they are alike.

    `search` is what shapes the answer, `used` the parameters that are followed, but for the page,
    `address` that of the first page.
    """

    ask: Interaction
    over: Reach
    searches: Mapping[str, Search]
    search: Search
    used: Params
    address: str

    @property
    def first_container(self) -> int:
        """Return the rank of the first type of containers."""
        return len(self.searches)

    def url(self, cursor: str) -> str:
        """Return the address of a page."""
        if not cursor:
            return self.address
        return f"{self.address}{'&' if self.used else '?'}_cursor={quote_plus(cursor)}"


@dataclass(frozen=True, slots=True)
class _Turn:
    """A search at one of its pages, for a caller."""

    server: Server
    caller: Caller
    task: _Task

    def url(self, start: Start) -> str:
        """Return the address of the page that begins there."""
        if start == FIRST:
            return self.task.address
        return self.task.url(start.seal(self.server.signer, self.bind()))

    def start(self) -> Start:
        """Return where the page begins that was asked for. Raises `BadRequest`."""
        cursor = self.task.search.cursor
        return opened(self.server.signer, cursor, self.bind()) if cursor else FIRST

    def bind(self) -> str:
        """Return what a cursor holds for: this query of this caller."""
        who = [self.caller.account, self.caller.role, self.caller.patient]
        return fhirjson.encode([self.task.over.place, who, self.task.used]).decode()


async def search_type(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a page of what matches and the caller may see, and what it includes."""
    apart = to_trail(server, ask)
    if apart is not None:
        return await trail(server, caller, apart)
    over = await reach(server, caller, ask)
    task = _read(ask, over, await _searches(server, caller, ask, over))
    _refuse_mix(task.search)
    containers.check(task.search)
    if task.search.explain:
        check(caller)
    queries = await _queries(server, caller, task)
    if task.search.count == 0 or task.search.summary == "count":
        total = await merged.count(server.store, queries)
        told = _told(await explained(server.store, queries)) if task.search.explain else ()
        links = [("self", task.url(task.search.cursor))]
        return Reply(200, bundle("searchset", told, links=links, total=total))
    return await _page(server, caller, task, queries)


def _read(ask: Interaction, over: Reach, searches: Mapping[str, Search]) -> _Task:
    search = next(iter(searches.values()))
    used = (*over.used, *(pair for pair in search.used if pair[0] != "_cursor"))
    address = "/".join(part for part in (ask.base, over.place) if part)
    if used:
        address += f"?{urlencode(used)}"
    return _Task(ask, over, searches, search, used, address)


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
    over, searches, contained = task.over, task.searches, task.search.contained
    one = len(over.types) == 1 and contained == "false"
    there = frozenset(over.types) if one else await server.store.types()
    alone = [
        Ranked(rank, _query(caller, over, searches[type]))
        for rank, type in enumerate(over.types)
        if type in there and type in over.where and contained != "true"
    ]
    if contained == "false":
        return alone
    holding = containers.queries(server, caller, task.ask, over, searches)
    return alone + [each for each in holding if each.query.type in there]


def _query(caller: Caller, over: Reach, search: Search) -> Query:
    return Query(
        type=search.type,
        where=both(over.where[search.type], restrict(search.where, caller)),
        sort=search.sort,
        limit=search.count,
        now=caller.now,
    )


async def _page(server: Server, caller: Caller, task: _Task, queries: Sequence[Ranked]) -> Reply:
    turn = _Turn(server, caller, task)
    start = turn.start()
    if start.until is not None:
        return await _rest(turn, queries, start, start.until)
    page = await merged.page(server.store, queries, start.after, back=start.back)
    added = await included(server, caller, task.search, page.versions)
    links = [*paging.links(start, page, queries, turn.url)]
    if added.next is not None:
        first, last = page.spots[0].beside(queries, behind=False), page.spots[-1]
        links.append(("related", turn.url(Start(first, until=last, at=added.next))))
    total = await _total(server, task.search, queries, page, start.after)
    told = await explained(server.store, queries) if task.search.explain else ()
    return _answer(turn, page, added, links, total, told)


async def _rest(turn: _Turn, queries: Sequence[Ranked], start: Start, until: Spot) -> Reply:
    """Answer with more of what the matches of a page include."""
    server, caller, search = turn.server, turn.caller, turn.task.search
    matches = await merged.between(server.store, queries, start.after, until)
    added = await included(server, caller, search, matches, start.at)
    links = [("first", turn.task.address)]
    if added.next is not None:
        links.append(("related", turn.url(replace(start, at=added.next))))
    return _answer(turn, Merged(), added, links)


def _answer(
    turn: _Turn,
    page: Merged,
    added: Added,
    links: Sequence[tuple[str, str]],
    total: Total | None = None,
    told: Sequence[Issue] = (),
) -> Reply:
    server, task = turn.server, turn.task
    search, base = task.search, task.ask.base
    whole = Subset(search.summary).content(server.definitions)
    entries = list(_matches(server, task, page, whole))
    entries += [found(base, each, "include", whole) for each in added.versions]
    entries += _told((*search.problems, *added.problems, *_continued(added), *told))
    links = [("self", task.url(search.cursor)), *links]
    versions = (*page.versions, *added.versions)
    return Reply(
        200,
        bundle("searchset", entries, links=links, total=total),
        patients=concerned(version.patients for version in versions),
    )


def _matches(server: Server, task: _Task, page: Merged, whole: Content) -> Iterator[bytes]:
    """Yield the entries of what matches; `whole` shows a resource of no type that was asked for."""
    base, over = task.ask.base, task.over
    contents = {
        type: Subset(search.summary, search.elements, type).content(server.definitions)
        for type, search in task.searches.items()
    }
    for spot, version in zip(page.spots, page.versions, strict=True):
        if spot.rank < task.first_container:
            said = agreement(task.search, version)
            yield found(base, version, "match", contents[version.key.type], said)
        elif containers.are_opened(task.search):
            yield from containers.parts(server, base, over, task.searches, version)
        else:
            yield found(base, version, "match", whole)


def _refuse_mix(search: Search) -> None:
    """ "The _include and _revinclude parameters cannot be mixed with _summary=text." """
    if search.summary == "text" and (search.includes or search.revincludes):
        raise BadRequest("_include and _revinclude cannot be mixed with _summary=text.")


async def _total(
    server: Server, search: Search, queries: Sequence[Ranked], page: Merged, after: Spot | None
) -> Total | None:
    """Return the number of matches if it was asked for, or costs nothing."""
    if search.total == "none" or containers.are_opened(search):
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
    return [outcome_entry(problems)]
