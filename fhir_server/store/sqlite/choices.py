"""What of many alternatives of one kind an index is asked for. Pure."""

from functools import lru_cache

import msgspec

from fhir_server.model import Value
from fhir_server.search.bounds import TEXT, Interval
from fhir_server.search.oneof import cover
from fhir_server.search.said import keys
from fhir_server.search.tree import Node, OneOf, Words
from fhir_server.store.sqlite.phrase import is_certain, matched

_WIDER = 1e-12
"""JSON keeps numbers a little less exactly, so what the index is asked for is a little wider."""


def decides(node: OneOf) -> bool:
    """Tell whether all that is led to satisfies one of the alternatives."""
    if node.kind[0] == "text":
        return all(map(_is_certain, node.nodes))
    return node.kind[0] in ("matches", "near", "updated")


def _is_certain(node: Node) -> bool:
    return isinstance(node, Words) and bool(node.words) and is_certain(node)


@lru_cache(maxsize=16)
def ways(node: OneOf) -> tuple[int, ...]:
    """Return the parts of which an index leads to where one of the alternatives may hold."""
    if node.kind[0] == "text":
        return (0,) if asked(node, 0) else ()
    return tuple(part for part in range(max(1, len(node.kind[1]))) if _cover(node, part))


@lru_cache(maxsize=16)
def asked(node: OneOf, part: int) -> str:
    """Return the JSON of what the index of a part is asked for: intervals, of which the ends are
    told, or matches of full text, '' for all."""
    found = _matches(node) if node.kind[0] == "text" else [_ends(e) for e in _cover(node, part)]
    return msgspec.json.encode(found).decode() if found else ""


@lru_cache(maxsize=16)
def _cover(node: OneOf, part: int) -> list[Interval]:
    return cover(node, part)


def _ends(interval: Interval) -> tuple[Value | None, Value | None]:
    low, high = interval
    least = low[1] if len(low) == 3 else "" if low == TEXT else None
    most = high[1] if len(high) == 3 else "" if high == TEXT else None
    if isinstance(most, str) and "\0" in most:
        most = None  # SQLite ends text of JSON there
    return _wider(least, -_WIDER), _wider(most, _WIDER)


def _wider(value: Value | None, by: float) -> Value | None:
    return value + abs(value) * by if isinstance(value, float) else value


def _matches(node: OneOf) -> list[str]:
    """Return what full text is asked for the alternatives; nothing if one needs no words."""
    sought = [words for words in keys(node.nodes) if words and words.words]
    return list(dict.fromkeys(map(matched, sought))) if len(sought) == len(node.nodes) else []
