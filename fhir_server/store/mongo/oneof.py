"""Many alternatives of one kind as a tree of filters. Pure.

The server asks the alternatives of an `$or` one after the other. So they are put in order, and
stand in groups, and groups of groups, each asked only where values lie between the lowest and the
highest of it: of thousands of alternatives a few dozen are asked.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from math import ceil
from typing import NamedTuple

from fhir_server.search.bounds import (
    FIRST,
    LAST,
    TEXT,
    WHOLE,
    Interval,
    before,
    behind,
    comparisons,
    interval,
)
from fhir_server.search.near import around
from fhir_server.search.oneof import columns as asked_of
from fhir_server.search.said import needs
from fhir_server.search.tree import Column, Cond, Near, Node, OneOf, Words
from fhir_server.store.mongo.condition import ALWAYS, Filter, columns
from fhir_server.store.mongo.logic import ANY, both, either, entry, part_of
from fhir_server.store.mongo.measure import near_one
from fhir_server.store.mongo.pattern import endings, patterns

_FEW = 16
_PLACES = 64
_COLUMNS: tuple[Column, ...] = ("v", "w", "u")

Entry = tuple[tuple[Cond, ...], ...]
"""What an alternative asks of each column of an entry."""
Wrap = Callable[[Filter], Filter]
"""Makes a filter on a record, or on a composite, of one on an entry."""


class _Leaf(NamedTuple):
    """An alternative: where the columns of an entry lie, and what it asks."""

    spans: tuple[Interval, ...]
    asks: Filter


def one_of(node: OneOf, now: int, compiled: Callable[[Node], Filter]) -> Filter:
    """Return the filter of the alternatives; `compiled` makes that of one of them."""
    word, params = node.kind
    match word:
        case "text":
            return _text(node.nodes, compiled)
        case "updated":
            spans = ((_span(asked_of(each)[0]),) for each in node.nodes)
            leaves = [_Leaf(s, compiled(n)) for s, n in zip(spans, node.nodes, strict=True)]
            return _grown(leaves, lambda asks: {"at": asks["v"]} if asks else ALWAYS)
        case "near":
            return _near(params[0], [each for each in node.nodes if isinstance(each, Near)])
        case "together":
            wraps = [_part(part_of(param)[1]) for param in params]
            found = both(({"p": part_of(params[0])[0]}, _parts(_entries(node), wraps, now)))
            return {"c": {"$elemMatch": found}}
        case _:
            return _parts(_entries(node), [_of(param) for param in params], now)


def _part(name: str) -> Wrap:
    return lambda asks: {name: {"$elemMatch": asks or ANY}}


def _of(param: str) -> Wrap:
    return lambda asks: entry(param, asks)


def _entries(node: OneOf) -> list[tuple[Entry, ...]]:
    found = [asked_of(each) for each in node.nodes]
    return [tuple(each[at : at + 3] for at in range(0, len(each), 3)) for each in found]


def _parts(choices: Iterable[tuple[Entry, ...]], wraps: Sequence[Wrap], now: int) -> Filter:
    """Return that the parts of one choice are satisfied. Those choices stand together that ask the
    same of a part, of that one of which the fewest things are asked."""
    listed = list(choices)
    if len(wraps) == 1:
        return wraps[0](_entry([choice[0] for choice in listed], now))
    asked = [{choice[part] for choice in listed} for part in range(len(wraps))]
    first = min(range(len(wraps)), key=lambda part: len(asked[part]))
    groups: dict[Entry, list[tuple[Entry, ...]]] = {}
    for choice in listed:
        groups.setdefault(choice[first], []).append((*choice[:first], *choice[first + 1 :]))
    others = [*wraps[:first], *wraps[first + 1 :]]
    leaves = [
        _Leaf(
            tuple(map(_span, same)),
            both((_asks(wraps[first], same, now), _parts(some, others, now))),
        )
        for same, some in groups.items()
    ]
    return _grown(leaves, wraps[first])


def _asks(wrap: Wrap, asked: Entry, now: int) -> Filter:
    return wrap(columns(chain(*asked), now))


def _entry(choices: Iterable[Entry], now: int) -> Filter:
    """Return what an entry satisfies if it satisfies one of the choices."""
    leaves: list[_Leaf] = []
    pieces: dict[tuple[str, Entry], list[str]] = {}
    for choice in choices:
        match choice[0]:
            case (Cond(_, ("contains" | "suffix") as op, str() as piece),) if piece:
                pieces.setdefault((op, choice[1:]), []).append(piece)
            case _:
                asks = columns(chain(*choice), now)
                leaves.append(_Leaf(tuple(map(_span, choice)), asks))
    found = [
        both(({"v": {"$regex": pattern}}, columns(chain(*rest), now)))
        for (op, rest), some in pieces.items()
        for pattern in (patterns(some) if op == "contains" else endings(some))
    ]
    if leaves:
        found.append(_grown(leaves, lambda asks: asks))
    return either(found)


def _span(conds: Iterable[Cond]) -> Interval:
    """Return where a column lies, at least."""
    low, high = WHOLE
    for cond in conds:
        if isinstance(cond.value, tuple):
            low = max(low, min(map(before, cond.value), default=LAST))
            high = min(high, max(map(behind, cond.value), default=FIRST))
        else:
            least, most = interval([cond]) or (TEXT, LAST)
            low, high = max(low, least), min(high, most)
    return low, high


def _near(param: str, places: Sequence[Near]) -> Filter:
    """Return that a record is near one of the places. Those of a similar latitude are asked in one
    expression, which takes the server less time to read."""
    leaves: list[_Leaf] = []
    ordered = sorted(places, key=_latitudes)
    for at in range(0, len(ordered), _PLACES):
        some = ordered[at : at + _PLACES]
        spans = [_latitudes(place) for place in some]
        hull = min(low for low, _ in spans), max(high for _, high in spans)
        there = entry(param, columns(comparisons("v", hull), 0))
        leaves.append(_Leaf((hull,), both((there, {"$expr": near_one(param, some)}))))
    return _grown(leaves, _of(param))


def _latitudes(place: Near) -> Interval:
    return _span(cond for cond in around(place) if cond.column == "v")


def _grown(leaves: Sequence[_Leaf], wrap: Wrap) -> Filter:
    """Return that one of the leaves holds, as a tree; `wrap` is as their filters are.

    The server looks for an index to where all of them lie, not to each.
    """
    if len(leaves) <= _FEW:
        return either(leaf.asks for leaf in leaves)
    return _met(_hull(leaves, wrap), {"$nor": [{"$nor": _groups(leaves, wrap)}]})


def _groups(leaves: Sequence[_Leaf], wrap: Wrap) -> list[Filter]:
    """Return the leaves, or some groups of them.

    A group is written as: not that it lies elsewhere, nor that none of it holds. The server asks
    for comparisons in a `$nor` first and stops there, where it would ask an `$or` before all else.
    """
    if len(leaves) <= _FEW:
        return [leaf.asks for leaf in leaves]
    ordered = sorted(leaves, key=lambda leaf: leaf.spans)
    size = ceil(len(ordered) / _FEW)
    groups = (ordered[at : at + size] for at in range(0, len(ordered), size))
    return [_group(group, wrap) for group in groups]


def _group(leaves: Sequence[_Leaf], wrap: Wrap) -> Filter:
    elsewhere = [{field: {"$not": asks}} for field, asks in _hull(leaves, wrap).items()]
    return {"$nor": [*elsewhere, {"$nor": _groups(leaves, wrap)}]}


def _hull(leaves: Sequence[_Leaf], wrap: Wrap) -> Filter:
    """Return where the columns of all leaves lie."""
    conds: list[Cond] = []
    for column, spans in zip(
        _COLUMNS, zip(*(leaf.spans for leaf in leaves), strict=True), strict=False
    ):
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        if (low >= TEXT or high <= TEXT) and low < high:
            conds += comparisons(column, (low, high))
    return wrap(columns(conds, 0)) if conds else ALWAYS


def _met(one: Filter, other: Filter) -> Filter:
    """Return that both hold, as one filter where they are about other things."""
    return both((one, other)) if one.keys() & other.keys() else {**one, **other}


def _text(nodes: Sequence[Node], compiled: Callable[[Node], Filter]) -> Filter:
    """Return that one of the phrases, or of their combinations, is said."""
    content = [n for n in nodes if isinstance(n, Words) and n.scope == "content"]
    narrative = [n for n in nodes if isinstance(n, Words) and n.scope == "text"]
    others = [n for n in nodes if not isinstance(n, Words)]
    alone = [n.words[0] for n in content if len(n.words) == 1 and not n.begins]
    rest = [n for n in content if len(n.words) != 1 or n.begins]
    found: list[Filter] = [{"words": {"$in": sorted(set(alone))}}] if alone else []
    found += [_phrases(rest, ("text.n", "text.r"))] if rest else []
    found += [_phrases(narrative, ("text.n",))] if narrative else []
    if others:
        found.append(both((_having(others), either(map(compiled, others)))))
    return either(found)


def _phrases(nodes: Sequence[Words], fields: Iterable[str]) -> Filter:
    expressions = list(patterns(node.sought for node in nodes))
    said = either({field: {"$regex": each}} for field in fields for each in expressions)
    return both((_having(nodes), said))


def _having(nodes: Sequence[Node]) -> Filter:
    """Return that a record has one word of each that is needed, for the index; all, if any of them
    needs none."""
    needed = [[word for words in needs(node) for word in _whole(words)] for node in nodes]
    if not all(needed):
        return ALWAYS
    shared = Counter(chain(*map(set, needed)))
    return {"words": {"$in": sorted({min(some, key=shared.__getitem__) for some in needed})}}


def _whole(words: Words) -> tuple[str, ...]:
    return words.words[:-1] if words.begins else words.words
