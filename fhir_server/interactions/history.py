"""FHIR history interaction: of one resource, of a type, of the whole hub.

https://hl7.org/fhir/R4/http.html#history

A version is shown to whom its own authorization entries and those of the latest version allow it.
The old ones are in no index, so each is decided by itself; a time limit bounds how many.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, Deny, decide
from fhir_server.errors import BadRequest, Forbidden, NotFound, TooCostly
from fhir_server.interactions.bundle import bundle, past
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.find import sees
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.listed import Listed, listed
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import PARAMS
from fhir_server.interactions.subset import asked as subset_of
from fhir_server.model import History, Key, Version
from fhir_server.search import date
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import Node

_KNOWN = ("_count", "_cursor", "_since", "_at", "_sort", "_list", *PARAMS)
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Sight:
    """Whose eyes see the versions, and which types they see at all, each under its predicate."""

    server: Server
    caller: Caller
    where: Mapping[str, Node]
    known: dict[Key, bool]
    only: Listed | None = None

    async def read(self, asked: History) -> list[Version]:
        """Return the next versions, seen or not."""
        if self.only is not None:
            return await self.only.history(self.server.store, asked)
        return await self.server.store.history(asked)

    async def sees(self, version: Version) -> bool:
        """Say whether this version and the latest one of its record may be seen."""
        where = self.where[version.key.type]
        if not await sees(self.server, self.caller, where, version):
            return False
        if version.key not in self.known:
            latest = await self.server.store.read(version.key)
            self.known[version.key] = latest is not None and await sees(
                self.server, self.caller, where, latest
            )
        return self.known[version.key]


async def history(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a page of the versions that the caller may see, deletions among them.

    Raises `NotFound` for a record that is hidden or was never there, `Forbidden` where the caller
    sees no type that was asked for.
    """
    refuse_all(ask, _KNOWN)
    sight = _Sight(server, caller, _visible(server, caller, ask), {})
    if ask.id:
        await _find(sight, ask.key)
    who = [caller.account, caller.role, caller.patient]
    bind = fhirjson.encode([ask.type, ask.id, who, _without_cursor(ask)]).decode()
    asked, back = _asked(server, ask, frozenset(sight.where), bind)
    if (text := dict(ask.params).get("_list")) is not None:
        sight = replace(sight, only=await listed(server, caller, text))
    subset = subset_of(server.definitions, ask)
    if subset.summary == "count" or asked.limit == 0:
        counted = await _count_all(sight, asked)
        return Reply(200, bundle("history", (), links=[("self", _link(ask, ""))], total=counted))
    content = subset.content(server.definitions)
    versions, more = await _page(sight, asked)
    versions = versions[::-1] if back else versions
    links = [("self", _link(ask, dict(ask.params).get("_cursor", ""))), ("first", _link(ask, ""))]
    if versions and (more if back else asked.after):
        links.append(("previous", _link(ask, _sealed(server, versions[0], bind, back=True))))
    if versions and (more or back):
        links.append(("next", _link(ask, _sealed(server, versions[-1], bind, back=False))))
    total = None if more or asked.after else len(versions)
    entries = (past(ask.base, version, content) for version in versions)
    body = bundle("history", entries, links=links, total=total)
    return Reply(200, body, patients=concerned(version.patients for version in versions))


def _visible(server: Server, caller: Caller, ask: Interaction) -> dict[str, Node]:
    """Return the predicate of each type that is asked for and that the caller sees."""
    types = {ask.type} if ask.type else server.definitions.resource_types - {"AuditEvent"}
    decided = {type: decide(caller, type, "history") for type in types}
    seen = {type: found.where for type, found in decided.items() if isinstance(found, Allow)}
    if not seen:
        denied = (found for found in decided.values() if isinstance(found, Deny))
        raise Forbidden(next(denied).reason)
    return seen


async def _find(sight: _Sight, key: Key) -> None:
    latest = await sight.server.store.read(key)
    if latest is None or not await sight.sees(latest):
        raise NotFound(f"There is no {key}.")


async def _page(sight: _Sight, asked: History) -> tuple[list[Version], bool]:
    """Return the versions that are seen, at most `limit`, and whether there are more."""
    seen: list[Version] = []
    end = time.monotonic() + sight.server.settings.query_seconds
    chunk = asked.limit + 1
    after = asked.after
    while True:
        versions = await sight.read(replace(asked, limit=chunk, after=after))
        for version in versions:
            if await sight.sees(version):
                if len(seen) == asked.limit:
                    return seen, True
                seen.append(version)
        if len(versions) < chunk:
            return seen, False
        if time.monotonic() > end:
            raise TooCostly("The history takes too long; bound it by _since, or ask for less.")
        after = (versions[-1].key, versions[-1].vid)
        chunk = max(chunk, min(2 * chunk, _MOST_AT_ONCE))


async def _count_all(sight: _Sight, asked: History) -> int:
    total = 0
    asked = replace(asked, limit=_MOST_AT_ONCE, after=None)
    while True:
        versions, more = await _page(sight, asked)
        total += len(versions)
        if not more:
            return total
        asked = replace(asked, after=(versions[-1].key, versions[-1].vid))


def _sealed(server: Server, version: Version, bind: str, *, back: bool) -> str:
    """Return the cursor of the page behind a version, or of the one before it."""
    return server.signer.seal((*version.key, version.vid, back), bind)


def _asked(
    server: Server, ask: Interaction, types: frozenset[str], bind: str
) -> tuple[History, bool]:
    """Return what the parameters ask a store for, and whether that is the page turned round.

    Raises `BadRequest`.
    """
    given = dict(ask.params)
    if len(given) != len(ask.params):
        raise BadRequest("Each parameter of history may stand once.")
    history = History(ask.key if ask.id else types, limit=_count(server, given.get("_count")))
    if "_since" in given:
        history = replace(history, since=_span("_since", given["_since"])[0])
    if "_at" in given:
        low, high = _span("_at", given["_at"])
        history = replace(history, current=low, until=high)
    match given.get("_sort", "-_lastUpdated"):
        case "_lastUpdated":
            history = replace(history, ascending=True)
        case "-_lastUpdated" | "none":
            pass
        case other:
            expected = "_lastUpdated, -_lastUpdated or none"
            raise BadRequest(f"_sort is {other[:50]!r}; {expected} is expected.")
    if "_cursor" not in given:
        return history, False
    type, id, vid, back = server.signer.open(given["_cursor"], bind)
    ascending = history.ascending != back
    return replace(history, after=(Key(type, id), vid), ascending=ascending), back


def _span(name: str, text: str) -> date.Span:
    try:
        # An unescaped + of a time zone arrives as a space.
        return date.span(text.replace(" ", "+"), SHANGHAI)
    except ValueError:
        raise BadRequest(
            f"{name} is {text[:50]!r}; a time such as 2026-05-17T08:30:00+08:00 is expected."
        ) from None


def _count(server: Server, given: str | None) -> int:
    if given is None:
        return server.settings.page
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise BadRequest(f"_count is {given[:20]!r}; a whole number, 0 or more, is expected.")
    return min(int(given), server.settings.page_limit)


def _link(ask: Interaction, cursor: str) -> str:
    place = "/".join(part for part in (ask.base, ask.type, ask.id, "_history") if part)
    pairs = [*_without_cursor(ask), *([("_cursor", cursor)] if cursor else [])]
    return f"{place}?{urlencode(pairs)}" if pairs else place


def _without_cursor(ask: Interaction) -> list[tuple[str, str]]:
    return [pair for pair in ask.params if pair[0] in _KNOWN and pair[0] != "_cursor"]
