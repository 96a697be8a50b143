"""`$everything`: a patient's record, or all that belongs to an encounter, in pages.

https://hl7.org/fhir/R4/patient-operation-everything.html,
https://hl7.org/fhir/R4/encounter-operation-everything.html

1. The members come first: the patient (the encounter), then its compartment, type by type in the
   order of the alphabet, each type in the store's order.
2. Then what members refer to, by type and id: records of nobody's compartment, and what these
   refer to; of an encounter also records of its own patient, whose references are not followed.
3. Each is a search under the caller's predicate. A page ends with a cursor that holds for the
   caller and the question; each record is in one page.
4. `_since`, `_type` choose from the whole of 1 and 2; `start`, `end` bound the members.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.bundle import bundle, found
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.find import allowed, find, living
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.model import Key, Query, Version
from fhir_server.operations.care_dates import within
from fhir_server.operations.parameters import number, once, texts
from fhir_server.operations.referred import Keep, references, referred
from fhir_server.search import date
from fhir_server.search.alternatives import cond
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import (
    EVERYTHING,
    NOTHING,
    Ids,
    InPatient,
    Match,
    Node,
    Updated,
    both,
    either,
)

_SCAN = 1000
_ELSEWHERE = "AuditEvent"
"""Rendered from the trail, and no records: they are searched by themselves."""


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
class _Page:
    """A page that is being filled."""

    room: int
    members: list[Version] = field(default_factory=list)
    more: list[Version] = field(default_factory=list)
    next: Start | None = None


async def patient_everything(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a patient's record, or those of all patients that the caller sees.

    Raises `NotFound`, `Gone`, `Forbidden`, and `BadRequest` for parameters.
    """
    if ask.id:
        living(await find(server, caller, ask.key), ask.key)
    else:
        allowed(caller, "Patient", "search")
    given = texts(ask)
    start, end = (_checked(name, once(name, given)) for name in ("start", "end"))
    compartment = server.definitions.compartment("Patient")
    types = ("Patient", *sorted(compartment.keys() - {"Patient", _ELSEWHERE}))
    members = {
        type: both(_of_patients(compartment.get(type, ()), type, ask.id), within(type, start, end))
        for type in types
    }
    return await _answer(server, caller, ask, _asked(server, ask, given, members, _is_nobodys))


async def encounter_everything(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with an encounter and what belongs to it. Raises as that of a patient does."""
    encounter = living(await find(server, caller, ask.key), ask.key)
    given = texts(ask)
    members: dict[str, Node] = {"Encounter": Ids(frozenset((ask.id,)))}
    for type, params in sorted(server.definitions.compartment("Encounter").items()):
        here = cond("v", "=", str(ask.key))
        members.setdefault(type, either(*(Match(param, here) for param in params)))
    own = frozenset(encounter.patients)
    asked = _asked(server, ask, given, members, lambda each: own.issuperset(each.patients))
    return await _answer(server, caller, ask, asked)


def _of_patients(params: Iterable[str], type: str, id: str) -> Node:
    if id:
        return Ids(frozenset((id,))) if type == "Patient" else InPatient(id)
    if type == "Patient":
        return EVERYTHING
    return either(*(Match(param, cond("v", "prefix", "Patient/")) for param in params))


def _is_nobodys(version: Version) -> bool:
    return not version.patients


def _asked(
    server: Server, ask: Interaction, given: Params, members: Mapping[str, Node], keep: Keep
) -> Asked:
    """Return what is asked for; the cursor is still to be opened. Raises `BadRequest`."""
    known = {each.name for each in _PARAMETERS[ask.type]} | {"_cursor"}
    if ask.strict and (unknown := [name for name, _ in given if name not in known]):
        raise BadRequest(*(f"$everything has no parameter {name[:64]!r}." for name in unknown))
    since = _checked("_since", once("_since", given))
    limit = server.settings.page_limit
    return Asked(
        members=members,
        keep=keep,
        since=date.span(since, SHANGHAI)[0] if since else 0,
        types=_types(server, given),
        count=min(number("_count", given) or limit, limit),
        used=tuple(pair for pair in given if pair[0] in known and pair[0] != "_cursor"),
        cursor=once("_cursor", given),
    )


def _types(server: Server, given: Params) -> frozenset[str]:
    named = [each for name, text in given if name == "_type" for each in text.split(",")]
    for type in named:
        if not server.definitions.is_resource_type(type):
            raise BadRequest(f"_type: {type[:64]!r} is no type of resource.")
    if _ELSEWHERE in named:
        raise NotSupported(f"_type: an {_ELSEWHERE} is searched by itself.")
    return frozenset(named)


def _checked(name: str, text: str) -> str:
    try:
        if text:
            date.span(text, SHANGHAI)
    except ValueError:
        raise BadRequest(f"{name}={text[:64]}: expected a date or an instant.") from None
    return text


async def _answer(server: Server, caller: Caller, ask: Interaction, asked: Asked) -> Reply:
    bind = fhirjson.encode(
        [[str(ask.key), ask.operation, caller.account, caller.role, caller.patient], asked.used]
    ).decode()
    if asked.cursor:
        phase, type, rest = server.signer.open(asked.cursor, bind)
        asked = replace(asked, start=Start(phase, type, tuple(rest)))
    page = await _page(server, caller, ask, asked)
    links = [("self", _url(ask, asked, asked.cursor))]
    if page.next is not None:
        links.append(("next", _url(ask, asked, server.signer.seal(page.next, bind))))
    total = len(page.members) if page.next is None and not asked.cursor else None
    entries = [found(ask.base, each, "match") for each in page.members]
    entries += [found(ask.base, each, "include") for each in page.more]
    told = concerned(each.patients for each in (*page.members, *page.more))
    return Reply(200, bundle("searchset", entries, links=links, total=total), patients=told)


def _url(ask: Interaction, asked: Asked, cursor: str) -> str:
    pairs = [*asked.used, *([("_cursor", cursor)] if cursor else [])]
    place = f"{ask.key}" if ask.id else ask.type
    return f"{ask.base}/{place}/$everything" + (f"?{urlencode(pairs)}" if pairs else "")


async def _page(server: Server, caller: Caller, ask: Interaction, asked: Asked) -> _Page:
    page = _Page(asked.count)
    if asked.start.phase == "members":
        await _fill_members(server, caller, asked, page)
    if page.next is None and _wants_more(server, asked):
        await _fill_more(server, caller, ask, asked, page)
    return page


async def _fill_members(server: Server, caller: Caller, asked: Asked, page: _Page) -> None:
    """Fill the page; where it is full and members are left, it goes on with the next page."""
    breath = Breath(server.settings.request_seconds)
    there = await server.store.types()
    types = [type for type in asked.members if asked.takes(type)]
    after = asked.start.rest or None
    if asked.start.type:
        types = types[types.index(asked.start.type) :]
    for type in types:
        query = _members(caller, type, asked.where(type))
        if query.where == NOTHING or type not in there:
            continue
        part = await server.store.search(replace(query, limit=page.room or 1, after=after))
        after = None
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


def _wants_more(server: Server, asked: Asked) -> bool:
    """Tell whether types are wanted that are members of no compartment."""
    return not asked.types or not asked.types <= asked.members.keys()


async def _fill_more(
    server: Server, caller: Caller, ask: Interaction, asked: Asked, page: _Page
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


_SINCE = Parameter("_since", "in", 0, "1", "instant", "Records that changed at or after it.")
_TYPE = Parameter("_type", "in", 0, "*", "code", "Types of records, by commas; all without it.")
_COUNT = Parameter("_count", "in", 0, "1", "integer", "Entries of a page.")
_START = Parameter("start", "in", 0, "1", "date", "Care on this date or later.")
_END = Parameter("end", "in", 0, "1", "date", "Care on this date or earlier.")
_RETURN = Parameter("return", "out", 1, "1", "Bundle", "A searchset, or a page of it.")

_PARAMETERS = {
    "Patient": (_START, _END, _SINCE, _TYPE, _COUNT, _RETURN),
    "Encounter": (_SINCE, _TYPE, _COUNT, _RETURN),
}

EVERYTHING_OF = (
    *(
        OperationDefinition(
            "everything",
            ("Patient",),
            level,
            patient_everything,
            parameters=_PARAMETERS["Patient"],
        )
        for level in ("type", "instance")
    ),
    OperationDefinition(
        "everything",
        ("Encounter",),
        "instance",
        encounter_everything,
        parameters=_PARAMETERS["Encounter"],
    ),
)
"""For `Server.operations`."""
