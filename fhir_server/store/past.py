"""The order and the bounds of a history, over versions in memory.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Mapping, Sequence

from fhir_server.model import Change, History, Key, Version

_Place = tuple[int, int]


def versions(
    changes: Sequence[Change], all: Mapping[Key, Sequence[Version]], history: History
) -> list[Version]:
    """Return what a history asks for; the versions of a key are in order, from 1."""
    places = {
        (change.key, change.vid): (all[change.key][change.vid - 1].updated, change.seq)
        for change in changes
        if _within(history, change.key)
    }
    found = [
        (place, all[key][vid - 1])
        for (key, vid), place in places.items()
        if _is_asked(history, all[key][vid - 1], all[key][vid:])
    ]
    found.sort(key=lambda pair: pair[0], reverse=not history.ascending)
    if history.after is not None:
        start = places.get(history.after)
        found = [pair for pair in found if start and _is_behind(history, pair[0], start)]
    return [version for _, version in found[: history.limit]]


def _within(history: History, key: Key) -> bool:
    if isinstance(history.scope, Key):
        return key == history.scope
    return key.type in history.scope and key.type[0].isupper()


def _is_asked(history: History, version: Version, later: Sequence[Version]) -> bool:
    return (
        (history.since is None or version.updated >= history.since)
        and (history.until is None or version.updated < history.until)
        and (history.current is None or not later or later[0].updated > history.current)
    )


def _is_behind(history: History, place: _Place, start: _Place) -> bool:
    return place > start if history.ascending else place < start
