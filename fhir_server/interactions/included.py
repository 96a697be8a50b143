"""What `_include` and `_revinclude` add to a page, searched under the caller's predicate.

https://hl7.org/fhir/R4/search.html#include

1. What is added stands in one order: by round, in a round by type, in a type by the store's order;
   versions that a reference names come first in their round.
2. A page takes what the limit allows; where there is more, the next one goes on behind a place.
3. Without `:iterate` there is one round, and going on costs what is added. With it the rounds are
   followed again from the matches; how many rounds and records is bounded, and told if reached.
4. Each page is found anew, under the rights that the caller has by then.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict, visible
from fhir_server.errors import Forbidden
from fhir_server.interactions.find import find
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Place, Query, Version
from fhir_server.search.include import plan, round_from, versioned
from fhir_server.search.search import Search
from fhir_server.search.tree import both

_MOST_ROUNDS = 10
_MOST_PAGES = 10
"""How many pages of additions iterating may fill."""


class At(NamedTuple):
    """Where an added record stands; versions that were named have no `type`."""

    round: int
    type: str
    place: Place


@dataclass(frozen=True, slots=True)
class Added:
    """What a page adds, what is to be said of it, and where the next one goes on (None: that is all
    of it)."""

    versions: tuple[Version, ...] = ()
    problems: tuple[Issue, ...] = ()
    next: At | None = None


async def included(
    server: Server,
    caller: Caller,
    search: Search,
    matches: Sequence[Version],
    after: At | None = None,
) -> Added:
    """Return what is added to the matches behind `after`, each record once."""
    if not matches or not (search.includes or search.revincludes):
        return Added()
    limit = server.settings.include_limit
    known = {version.key for version in matches}
    met = {(version.key, version.vid) for version in matches}
    following = _Following(server, caller, search, known, met)
    added: list[Version] = []
    last: At | None = None
    async with aclosing(following.all(matches, after)) as found:
        async for at, version in found:
            if after is not None and at <= after:
                continue
            if len(added) == limit:
                return Added(tuple(added), next=last)
            added.append(version)
            last = at
    return Added(tuple(added), tuple(following.problems))


@dataclass(slots=True)
class _Following:
    """One way from the matches, round by round. `known` are the records that were met, `met` the
    versions of them."""

    server: Server
    caller: Caller
    search: Search
    known: set[Key]
    met: set[tuple[Key, int]]
    problems: list[Issue] = field(default_factory=list)

    async def all(
        self, matches: Sequence[Version], after: At | None
    ) -> AsyncGenerator[tuple[At, Version], None]:
        """Yield what is added, from the start if it takes several rounds."""
        iterates = self.search.iterates
        fresh, start = matches, None if iterates else after
        for number in range(_MOST_ROUNDS if iterates else 1):
            found: list[Version] = []
            async with aclosing(self._round(number, fresh, start)) as some:
                async for at, version in some:
                    found.append(version)
                    yield at, version
            if not found:
                return
            if len(self.known) > _MOST_PAGES * self.server.settings.include_limit:
                break
            fresh = found
        if iterates:
            self.problems.append(_TOO_FAR)

    async def _round(
        self, number: int, fresh: Sequence[Version], after: At | None
    ) -> AsyncGenerator[tuple[At, Version], None]:
        resources = [(version.key, fhirjson.resource(version)) for version in fresh]
        extractor, search = self.server.extractor, self.search
        begun = round_from(extractor, search, resources, again=number > 0)
        if after is None or not after.type:
            for row, (key, vid) in enumerate(versioned(begun)):
                old = await self._version(key, vid)
                if old is not None and self._is_new(old):
                    yield At(number, "", (row,)), old
        types = await self.server.store.types() if search.includes_all else frozenset()
        queries = plan(extractor, search, begun, known=frozenset(self.known), types=types)
        for query in sorted(queries, key=lambda query: query.type):
            if after is not None and query.type < after.type:
                continue
            start = after.place if after is not None and query.type == after.type else None
            async with aclosing(self._visible(query, start)) as some:
                async for place, version in some:
                    self.known.add(version.key)
                    if self._is_new(version):
                        yield At(number, query.type, place), version

    def _is_new(self, version: Version) -> bool:
        pair = (version.key, version.vid)
        is_new = pair not in self.met
        self.met.add(pair)
        return is_new

    async def _version(self, key: Key, vid: int) -> Version | None:
        try:
            version = await find(self.server, self.caller, key, "read", vid)
        except Forbidden:
            return None
        return None if version is None or version.body is None else version

    async def _visible(
        self, query: Query, start: Place | None
    ) -> AsyncGenerator[tuple[Place, Version], None]:
        where = both(visible(self.caller, query.type), restrict(query.where, self.caller))
        limit = self.server.settings.include_limit + 1
        query = replace(query, where=where, limit=limit, after=start, now=self.caller.now)
        while True:
            page = await self.server.store.search(query)
            for pair in zip(page.places, page.versions, strict=True):
                yield pair
            if page.next is None:
                return
            query = replace(query, after=page.next)


def incomplete(limit: int) -> Issue:
    """Return what is said where no link leads to what is not there."""
    return Issue("too-costly", f"More than {limit} resources would be included.", "", "warning")


_TOO_FAR = Issue(
    "too-costly",
    "What :iterate adds goes on and on; it was followed no further.",
    "",
    "warning",
)
