"""Versions of what stands in a List: the parameter `_list` of a history.

https://hl7.org/fhir/R4/http.html#history

"Only include resource versions that are referenced in the specified list": an item that names a
version stands for that one, any other for all versions of its record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, Forbidden, NotFound, TooCostly
from fhir_server.interactions.find import find
from fhir_server.interactions.routes import ID
from fhir_server.interactions.server import Server
from fhir_server.model import History, Key, Version
from fhir_server.search.include import referred
from fhir_server.store.protocol import Store

MOST = 1000
"""The most records of a List whose history is told at once."""

_ALL = 2**31


@dataclass(frozen=True, slots=True)
class Listed:
    """The records of a List, each with the versions that are meant (None: all of them)."""

    versions: Mapping[Key, frozenset[int] | None]

    async def history(self, store: Store, asked: History) -> list[Version]:
        """Return what a history of these records alone gives, in the same order.

        Versions of one millisecond are in the order of their records' names.
        """
        found: list[Version] = []
        for key, vids in self.versions.items():
            if key.type in _types(asked) or key == asked.scope:
                one = replace(asked, scope=key, after=None, limit=_ALL)
                found += (v for v in await store.history(one) if vids is None or v.vid in vids)
        found.sort(key=_place, reverse=not asked.ascending)
        if asked.after is not None:
            found = found[_behind(found, asked.after) :]
        return found[: asked.limit]


def _types(asked: History) -> frozenset[str]:
    return frozenset() if isinstance(asked.scope, Key) else asked.scope


def _place(version: Version) -> tuple[int, Key, int]:
    return version.updated, version.key, version.vid


def _behind(found: list[Version], after: tuple[Key, int]) -> int:
    places = [n for n, version in enumerate(found) if (version.key, version.vid) == after]
    return places[0] + 1 if places else len(found)


async def listed(server: Server, caller: Caller, text: str) -> Listed:
    """Return what a List holds. Raises `NotFound` for one that is hidden or not there."""
    id = text.removeprefix("List/")
    if not ID.fullmatch(id):
        raise BadRequest(f"_list is {text[:50]!r}; the id of a List is expected.")
    try:
        version = await find(server, caller, Key("List", id))
    except Forbidden:
        version = None
    if version is None or version.body is None:
        raise NotFound(f"There is no List/{id}.")
    held: dict[Key, frozenset[int] | None] = {}
    for key, vid in referred(server.extractor, fhirjson.resource(version), "item"):
        known = held.get(key, frozenset())
        held[key] = None if vid is None or known is None else known | {vid}
    if len(held) > MOST:
        raise TooCostly(f"List/{id} holds more than {MOST} records; ask for each by itself.")
    return Listed(held)
