"""What a query reads: records by key and by search, for all objects of one level together.

https://hl7.org/fhir/R4/graphql.html#searching

1. Every search goes under the caller's predicate, at every hop; what is hidden is absent.
2. Records of one type are read by one search, whatever number of references asks for them.
3. Searches that differ only in the record that they belong to are one, as long as what it finds is
   within a page; else each is done by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict, visible
from fhir_server.errors import BadRequest, TooCostly
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.criteria import asked
from fhir_server.interactions.included import included, incomplete
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Page, Query, Version
from fhir_server.operations.graphql.arguments import search_names, texts
from fhir_server.operations.graphql.schema import Schema
from fhir_server.operations.indexed import demand_indexed
from fhir_server.operations.referred import seen
from fhir_server.search.search import Search
from fhir_server.search.tree import Cond, Match, Node, both

_MOST_SEARCHES = 500
_SPARE = 3
_BEGIN = ([0],)
_MOST_BACK = 20
_NO_PARAMETERS = frozenset(("fhirpath", "_reference", "_count", "_cursor"))

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search as it is asked for; `reference` is the parameter that points at a record."""

    type: str
    params: Params
    reference: str = ""
    count: int | None = None
    cursor: str = ""


def wanted(schema: Schema, type: str, arguments: Mapping[str, Any]) -> Wanted:
    """Return the search that a field's arguments ask for."""
    names = search_names(schema, type)
    params: list[tuple[str, str]] = []
    for name, value in arguments.items():
        if name in ("_include", "_revinclude"):
            params += ((name, text) for text in texts(value))
        elif name not in _NO_PARAMETERS:
            params.append((names.get(name, name), ",".join(texts(value))))
    return Wanted(
        type=type,
        params=tuple(params),
        reference=names.get(str(arguments.get("_reference")), ""),
        count=arguments.get("_count"),
        cursor=str(arguments.get("_cursor", "")),
    )


@dataclass(slots=True)
class Loads:
    """Reads for one caller and one request; `told` are the patients of all that was read."""

    server: Server
    caller: Caller
    ask: Interaction
    breath: Breath
    told: set[str] = field(default_factory=set)
    _decoded: dict[tuple[Key, int], Json] = field(default_factory=dict)
    _searches: int = 0

    def resource(self, version: Version) -> Json:
        """Return a record that was read; the answer tells of its patients."""
        self.told.update(version.patients)
        return self._resource(version)

    def _resource(self, version: Version) -> Json:
        name = (version.key, version.vid)
        if name not in self._decoded:
            self._decoded[name] = fhirjson.resource(version)
        return self._decoded[name]

    async def read(self, keys: Iterable[Key]) -> dict[Key, Version]:
        """Return those of these records that the caller may read."""
        found = await seen(self.server, self.caller, set(keys), self.breath, "read")
        return {each.key: each for each in found}

    async def listed(
        self, asked_for: Wanted, parents: Sequence[Key]
    ) -> dict[Key | None, list[Version]]:
        """Return what is found of each parent; without parents, of None.

        Raises `BadRequest` for arguments that cannot be read, and where more is found than a list
        holds.
        """
        query = await self._query(asked_for)
        if not asked_for.reference:
            return {None: await self._all(query, asked_for.count)}
        page = await self._together(query, asked_for, parents)
        if page is not None:
            return self._apart(asked_for, parents, page.versions)
        found: dict[Key | None, list[Version]] = {}
        for parent in parents:
            one = replace(query, where=_pointing(query, asked_for, (parent,)))
            found[parent] = await self._all(one, asked_for.count)
            await self.breath.take()
        return found

    async def _together(
        self, query: Query, asked_for: Wanted, parents: Sequence[Key]
    ) -> Page | None:
        """Return all that is found of all parents, None where one by one reads less.

        Whether it is little is asked without an order, since to order much is dear.
        """
        query = replace(query, where=_pointing(query, asked_for, parents))
        if asked_for.count is not None:
            enough = _SPARE * len(parents) * (asked_for.count + 1)
            query = replace(query, limit=min(enough, query.limit))
        page = await self._search(replace(query, sort=()))
        if page.next is not None:
            return None
        return await self._search(query) if query.sort else page

    async def connection(self, asked_for: Wanted, parent: Key | None, is_counted: bool) -> Json:
        """Return a page of what is found, as the type Connection has it."""
        search = await self._asked(asked_for)
        query = self._queried(asked_for, search)
        if parent is not None:
            query = replace(query, where=_pointing(query, asked_for, (parent,)))
        size = self.server.settings.page if asked_for.count is None else asked_for.count
        size = min(size, self.server.settings.page_limit)
        bind = self._bind(asked_for, parent)
        # A cursor holds where each page began on the way here, this one last.
        starts = self.server.signer.open(asked_for.cursor, bind) if asked_for.cursor else _BEGIN
        offset, *place = starts[-1]
        after = tuple(place) or None
        page = await self._search(replace(query, limit=size, after=after))
        added = await included(self.server, self.caller, search, page.versions)
        if added.next is not None:
            raise BadRequest(incomplete(self.server.settings.include_limit).diagnostics)
        seal = self.server.signer.seal
        found = {
            "offset": offset,
            "pagesize": size,
            "first": seal(_BEGIN, bind),
            "edges": [
                *({"mode": "match", "resource": self.resource(each)} for each in page.versions),
                *({"mode": "include", "resource": self.resource(each)} for each in added.versions),
            ],
        }
        if page.next is not None:
            after_this = [offset + len(page.versions), *page.next]
            found["next"] = seal((*starts[-_MOST_BACK:], after_this), bind)
        if len(starts) > 1:
            found["previous"] = seal(starts[:-1], bind)
        if is_counted:
            found["count"] = await self.server.store.count(query)
        return found

    async def _query(self, asked_for: Wanted) -> Query:
        return self._queried(asked_for, await self._asked(asked_for))

    async def _asked(self, asked_for: Wanted) -> Search:
        strict = replace(self.ask, strict=True)
        return await asked(self.server, self.caller, strict, asked_for.type, asked_for.params)

    def _queried(self, asked_for: Wanted, search: Search) -> Query:
        demand_indexed(self.server, {asked_for.type: (asked_for.reference,)})
        where = both(visible(self.caller, asked_for.type), restrict(search.where, self.caller))
        limit = self.server.settings.page_limit
        return Query(asked_for.type, where, search.sort, limit, now=self.caller.now)

    async def _all(self, query: Query, count: int | None) -> list[Version]:
        if count == 0:
            return []
        most = min(count or query.limit, query.limit)
        page = await self._search(replace(query, limit=most))
        if most != count and page.next is not None:
            words = f"More than {most} are found: ask for fewer by _count, or for a Connection."
            raise BadRequest(words)
        return list(page.versions)

    async def _search(self, query: Query) -> Page:
        self._searches += 1
        if self._searches > _MOST_SEARCHES:
            raise TooCostly(f"The query makes more than {_MOST_SEARCHES} searches; ask for less.")
        return await self.server.store.search(query)

    def _apart(
        self, asked_for: Wanted, parents: Sequence[Key], versions: Iterable[Version]
    ) -> dict[Key | None, list[Version]]:
        """Return what one search found, by the parents that each refers to."""
        found: dict[Key | None, list[Version]] = {parent: [] for parent in parents}
        by_text = {str(parent): parent for parent in parents}
        for version in versions:
            resource = self._resource(version)
            entries = self.server.extractor.references(resource, (asked_for.reference,))
            for text in {str(e.v) for e in entries if e.param == asked_for.reference}:
                if text in by_text:
                    found[by_text[text]].append(version)
        count = asked_for.count
        return found if count is None else {key: each[:count] for key, each in found.items()}

    def _bind(self, asked_for: Wanted, parent: Key | None) -> str:
        who = [self.caller.account, self.caller.role, self.caller.patient]
        what = [asked_for.type, asked_for.params, asked_for.reference, str(parent)]
        return fhirjson.encode(["graphql", who, what]).decode()


def _pointing(query: Query, asked_for: Wanted, parents: Sequence[Key]) -> Node:
    refs = tuple(str(each) for each in parents)
    return both(query.where, Match(asked_for.reference, (Cond("v", "in", refs),)))
