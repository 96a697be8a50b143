"""Many alternatives of one kind, as one node that is quick to ask.

Alternatives of one kind are asked of the same row of columns:

| kind | row |
|---|---|
| matches of a parameter | an entry: `v`, `w`, `u` |
| composites, matches of several parameters joined by and | the same of an entry for each part |
| times of the last change | that time |
| words, also joined by and, not | the words of the narrative, all others |
| places | latitude and longitude of an entry |
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from fhir_server.search.bounds import WHOLE, Interval, before, behind, interval, united
from fhir_server.search.near import around
from fhir_server.search.position import distance
from fhir_server.search.quick import Choice, Row, Test, quick
from fhir_server.search.said import said
from fhir_server.search.spans import Spans
from fhir_server.search.tree import (
    And,
    Cond,
    Match,
    Near,
    Node,
    Not,
    Now,
    OneOf,
    Or,
    Together,
    Updated,
    Words,
)

Kind = tuple[str, tuple[str, ...]]
"""What alternatives are of one kind by: the word for it, and the parameters."""


def kind(node: Node) -> Kind | None:
    """Return of what kind an alternative is, None if it has to be asked by itself."""
    match node:
        case Match(param, conds) if not _timed(conds):
            return "matches", (param,)
        case Together(param, parts) if parts and not any(map(_timed, parts)):
            return "together", tuple(f"{param}.{place}" for place in range(len(parts)))
        case Updated(conds) if not _timed(conds):
            return "updated", ()
        case Near(param):
            return "near", (param,)
        case And(nodes) if (params := _params(nodes)) is not None:
            return "and", params
    return ("text", ()) if _is_text(node) else None


def _timed(conds: Iterable[Cond]) -> bool:
    return any(isinstance(cond.value, Now) for cond in conds)


def _params(nodes: Sequence[Node]) -> tuple[str, ...] | None:
    """Return the parameters of matches, in order; None if there is anything else among them."""
    found = [node.param for node in nodes if isinstance(node, Match) and not _timed(node.all)]
    return tuple(sorted(found)) if len(nodes) == len(found) == len(set(found)) > 1 else None


def _is_text(node: Node) -> bool:
    match node:
        case And(nodes) | Or(nodes):
            return bool(nodes) and all(map(_is_text, nodes))
        case Not(inner):
            return _is_text(inner)
        case _:
            return isinstance(node, Words)


def one_of(kind: Kind, nodes: Sequence[Node]) -> OneOf:
    """Return the alternatives as one node."""
    match kind[0]:
        case "text":
            return OneOf(kind, tuple(nodes), Lazy(lambda: said(nodes)))
        case "near":
            return OneOf(kind, tuple(nodes), Lazy(lambda: _near(nodes)))
        case "updated":
            return OneOf(kind, tuple(nodes), Lazy(lambda: quick(map(columns, nodes), [0])))
        case _:
            return OneOf(kind, tuple(nodes), Lazy(lambda: _of_entries(list(map(columns, nodes)))))


class Lazy:
    """A test that is made when it is first needed."""

    def __init__(self, make: Callable[[], Test]) -> None:
        """Remember how it is made."""
        self._make = make
        self._test: Test | None = None

    def __call__(self, row: Row) -> bool:
        """Ask it."""
        if self._test is None:
            self._test = self._make()
        return self._test(row)


def columns(node: Node) -> Choice:
    """Return what an alternative asks of each column of its row, if it is made of comparisons."""
    match node:
        case Updated(conds):
            return (conds,)
        case Match(_, conds):
            return _of_entry(conds)
        case Together(_, parts):
            return tuple(chain(*map(_of_entry, parts)))
        case And(nodes):
            matches = sorted((each for each in nodes if isinstance(each, Match)), key=_param)
            return tuple(chain(*(_of_entry(each.all) for each in matches)))
        case _:
            raise TypeError(f"{node!r} is not asked of columns")


def _param(match: Match) -> str:
    return match.param


def _of_entry(conds: Iterable[Cond]) -> Choice:
    listed = list(conds)
    return tuple(tuple(cond for cond in listed if cond.column == column) for column in "vwu")


def _of_entries(choices: Sequence[Choice]) -> Test:
    """Those parts are asked first of which alternatives ask the fewest things."""
    parts = range(0, len(choices[0]), 3)
    things = {part: len({each[part : part + 3] for each in choices}) for part in parts}
    order = [part + n for part in sorted(parts, key=things.__getitem__) for n in (2, 0, 1)]
    return quick(choices, order)


def _near(nodes: Iterable[Node]) -> Test:
    places = [node for node in nodes if isinstance(node, Near)]
    spans = Spans((_latitudes(place), place) for place in places)

    def test(row: Row) -> bool:
        latitude, longitude = row
        return any(
            distance(float(latitude), float(longitude), each.latitude, each.longitude)
            <= each.metres
            for each in spans.at(latitude)
        )

    return test


def _latitudes(place: Near) -> Interval:
    return interval(cond for cond in around(place) if cond.column == "v") or WHOLE


def cover(node: OneOf, part: int = 0) -> list[Interval]:
    """Return disjoint intervals in which `v` of a part's entry has to lie, empty if anywhere."""
    found: list[Interval] = []
    for each in node.nodes:
        here = [_latitudes(each)] if isinstance(each, Near) else _wanted(columns(each)[3 * part])
        if not here:
            return []
        found += here
    return united(found)


def _wanted(conds: Sequence[Cond]) -> list[Interval]:
    """Return the intervals that comparisons of one column let through, empty if there are none."""
    for cond in conds:
        if isinstance(cond.value, tuple):
            return [(before(value), behind(value)) for value in cond.value]
    found = interval(cond for cond in conds if cond.op not in ("contains", "suffix"))
    return [] if found is None or found == WHOLE else [found]
