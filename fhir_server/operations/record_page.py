"""A page of a whole record: its members, then what they refer to.

https://hl7.org/fhir/R4/patient-operation-everything.html

1. Members come type by type in a given order, each type in the store's order; then what they refer
   to, by type and id.
2. Each is a search under the caller's predicate, at the time of the page.
3. A page tells where the next one begins; each record that does not change meanwhile is in one.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Query, Version
from fhir_server.operations.referred import Keep, references, referred
from fhir_server.search.alternatives import cond
from fhir_server.search.tree import EVERYTHING, NOTHING, Node, Updated, both

_SCAN = 1000


class Start(NamedTuple):
    """Where a page begins: among the members of a type, or behind a key of what they refer to."""

    phase: str = "members"
    type: str = ""
    rest: tuple[Any, ...] = ()


_FIRST = Start()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. `members` says by type, in order, which records are members."""

    members: Mapping[str, Node]
    keep: Keep
    since: int = 0
    types: frozenset[str] = frozenset()
    count: int = 0
    used: Params = ()
    cursor: str = ""
    start: Start = _FIRST

    @property
    def is_whole(self) -> bool:
        """Tell whether all members are asked for, from the first on."""
        return not self.since and not self.types and self.start == _FIRST

    def where(self, type: str) -> Node:
        """Return which members of a type are wanted."""
        changed = Updated(cond("v", ">=", self.since)) if self.since else EVERYTHING
        return both(self.members[type], changed)

    def takes(self, type: str) -> bool:
        """Tell whether records of a type are wanted."""
        return not self.types or type in self.types


@dataclass(slots=True)
class Page:
    """A page that is being filled: `room` entries are left, `next` is where the next one begins."""

    room: int
    members: list[Version] = field(default_factory=list)
    more: list[Version] = field(default_factory=list)
    next: Start | None = None


async def fill(server: Server, caller: Caller, ask: Interaction, asked: Asked) -> Page:
    """Return a page of what is asked for."""
    page = Page(asked.count)
    if asked.start.phase == "members":
        await _fill_members(server, caller, asked, page)
    if page.next is None and _wants_more(ask, asked):
        await _fill_more(server, caller, ask, asked, page)
    return page


async def _fill_members(server: Server, caller: Caller, asked: Asked, page: Page) -> None:
    """Fill the page; where it is full and members are left, it goes on with the next page."""
    breath = Breath(server.settings.request_seconds)
    there = await server.store.types()
    types = [type for type in asked.members if asked.takes(type)]
    if asked.start.type:
        types = types[types.index(asked.start.type) :]
    for type in types:
        query = _members(caller, type, asked.where(type))
        if query.where == NOTHING or type not in there:
            continue
        after = asked.start.rest if type == asked.start.type else ()
        part = await server.store.search(replace(query, limit=page.room or 1, after=after or None))
        if not page.room and part.versions:
            page.next = Start("members", type)
            return
        page.members += part.versions
        page.room -= len(part.versions)
        if part.next is not None:
            page.next = Start("members", type, part.next)
            return
        await breath.take()


def _members(caller: Caller, type: str, where: Node) -> Query:
    return Query(type, both(visible(caller, type), where), now=caller.now)


def _wants_more(ask: Interaction, asked: Asked) -> bool:
    """Tell whether what is wanted may be among what members refer to."""
    return ask.type != "Patient" or not asked.types or not asked.types <= asked.members.keys()


async def _fill_more(
    server: Server, caller: Caller, ask: Interaction, asked: Asked, page: Page
) -> None:
    """Fill the page with what members refer to, in the order of keys."""
    bases = {base for base in (ask.base, server.settings.base_url) if base}
    known, wanted = set[Key](), set[Key]()
    if asked.is_whole and page.next is None:
        parts: AsyncIterator[Iterable[Version]] = _at_once(page.members)
    else:
        parts = _all(server, caller, asked)
    breath = Breath(server.settings.request_seconds)
    async for part in parts:
        for each in part:
            known.add(each.key)
            wanted.update(references(server, each, bases))
            await breath.take()
    there = await referred(server, caller, bases, wanted, known, asked.keep)
    behind = (asked.start.type, *asked.start.rest) if asked.start.phase == "more" else ("", "")
    left = [there[key] for key in sorted(there) if key > behind and _is_wanted(asked, there[key])]
    page.more = left[: page.room]
    if len(left) > len(page.more):
        last = page.more[-1].key if page.more else Key("", "")
        page.next = Start("more", last.type, (last.id,))


def _is_wanted(asked: Asked, version: Version) -> bool:
    return asked.takes(version.key.type) and version.updated >= asked.since


async def _at_once(versions: Iterable[Version]) -> AsyncIterator[Iterable[Version]]:
    yield versions


async def _all(server: Server, caller: Caller, asked: Asked) -> AsyncIterator[Iterable[Version]]:
    """Yield all members, whatever `_since` and `_type` choose from them."""
    there = await server.store.types()
    for type, where in asked.members.items():
        query = replace(_members(caller, type, where), limit=_SCAN)
        while type in there:
            page = await server.store.search(query)
            yield page.versions
            if page.next is None:
                break
            query = replace(query, after=page.next)
