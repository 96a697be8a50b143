"""Smaller predicates that mean the same: what a store's compiler and planner are spared.

1. `And` in `And` and `Or` in `Or` become one; one of a single part is that part; two `Not` cancel.
2. In an `Or`, comparisons of one parameter that differ in the value alone become one `in`, and
   lists of ids one list: an alternative of thousands of values stays one node.
3. In an `Or`, comparisons of one column become few where they overlap; those of one kind that
   are still many become one node that is quick to ask.
4. In an `And`, many negations are the negation of one `Or`.
5. In an `Or`, joins by one reference become one join, to what satisfies one of them. What all of
   them demand there, such as what the caller may see, is demanded once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from fhir_server.model import Value
from fhir_server.search.oneof import Kind, kind, one_of
from fhir_server.search.overlap import overlapped
from fhir_server.search.tree import (
    EVERYTHING,
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    Ids,
    Match,
    Node,
    Not,
    Or,
    Together,
    Updated,
    both,
    either,
)

Conds = tuple[Cond, ...]

_LARGE = 200
FEW = 16
"""More alternatives of one kind than these become one node."""


def simplified(node: Node) -> Node:
    """Return a predicate that holds for the same records.

    >>> x, y = (Match("code", (Cond("v", "=", value),)) for value in "xy")
    >>> simplified(Or((x, y))) == Match("code", (Cond("v", "in", ("x", "y")),))
    True
    """
    match node:
        case And(nodes):
            parts = tuple(_flat(And, _negated_once(nodes)))
            return parts[0] if len(parts) == 1 else And(parts)
        case Or(nodes):
            parts = tuple(_gathered(tuple(_flat(Or, nodes))))
            return parts[0] if len(parts) == 1 else Or(parts)
        case Not(inner):
            plain = simplified(inner)
            return plain.node if isinstance(plain, Not) else Not(plain)
        case Chain() | Has() | ForEachPatient() | Contained():
            return replace(node, where=simplified(node.where))
        case _:
            return node


def is_large(node: Node) -> bool:
    """Tell whether a predicate has so many parts that simplifying them takes milliseconds."""
    todo, found = [node], 0
    while todo and found <= _LARGE:
        match todo.pop():
            case And(nodes) | Or(nodes):
                todo += nodes
                found += len(nodes)
            case Not(inner):
                todo.append(inner)
            case Chain() | Has() | Contained() as join:
                todo.append(join.where)
    return found > _LARGE


def _negated_once(nodes: Sequence[Node]) -> Sequence[Node]:
    """Return what must all hold, many negations as one of alternatives."""
    negated = [node.node for node in nodes if isinstance(node, Not)]
    if len(negated) <= FEW:
        return nodes
    others = [node for node in nodes if not isinstance(node, Not)]
    return [*others, Not(Or(tuple(negated)))]


def hastened(node: Node) -> Node:
    """Return the same, its long lists of values quick to ask: for who asks record by record."""
    match node:
        case Match(param, conds) if any(_is_long(cond) for cond in conds):
            return one_of(("matches", (param,)), [node])
        case And(nodes):
            return And(tuple(map(hastened, nodes)))
        case Or(nodes):
            return Or(tuple(map(hastened, nodes)))
        case Not(inner):
            return Not(hastened(inner))
        case Chain() | Has() | Contained():
            return replace(node, where=hastened(node.where))
        case _:
            return node


def _is_long(cond: Cond) -> bool:
    return isinstance(cond.value, tuple) and len(cond.value) > FEW


def _flat(kind: type[And] | type[Or], nodes: Iterable[Node]) -> Iterable[Node]:
    for node in map(simplified, nodes):
        if isinstance(node, kind):
            yield from node.nodes
        else:
            yield node


def _gathered(nodes: Sequence[Node]) -> Sequence[Node]:
    if _are_apart(nodes):
        return nodes
    alike: dict[tuple[str, Conds], dict[Value, None]] = {}
    ids: set[str] = set()
    joins: dict[Chain | Has, list[Node]] = {}
    rest: dict[Node, None] = {}
    for node in nodes:
        match node:
            case Match(param, conds) if (listed := _listed(conds)) is not None:
                values, others = listed
                alike.setdefault((param, others), {}).update(dict.fromkeys(values))
            case Ids(some):
                ids |= some
            case Chain() | Has():
                joins.setdefault(replace(node, where=EVERYTHING), []).append(node.where)
            case _:
                rest[node] = None
    matches = (_match(param, others, tuple(v)) for (param, others), v in alike.items())
    joined = (replace(join, where=_one_of(wheres)) for join, wheres in joins.items())
    fewer = _overlapped((*([Ids(frozenset(ids))] if ids else ()), *matches, *joined, *rest))
    return tuple(_quickened(list(fewer)))


def _are_apart(nodes: Sequence[Node]) -> bool:
    """Tell whether no two of a few alternatives ask about the same: most are so."""
    asked = {(type(node), getattr(node, "param", None)) for node in nodes}
    return len(asked) == len(nodes) <= FEW


def _overlapped(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield alternatives, fewer where those of one parameter or of the time overlap."""
    params: dict[str, list[Conds]] = {}
    times: list[Conds] = []
    for node in nodes:
        match node:
            case Match(param, conds):
                params.setdefault(param, []).append(conds)
            case Updated(conds):
                times.append(conds)
            case _:
                yield node
    for param, some in params.items():
        yield from (Match(param, conds) for conds in overlapped(some))
    yield from map(Updated, overlapped(times))


def _quickened(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield alternatives, those as one of which there are many of one kind."""
    kinds: dict[Kind | None, list[Node]] = {}
    for node in nodes if len(nodes) > FEW else ():
        kinds.setdefault(kind(node), []).append(node)
    many = {of: some for of, some in kinds.items() if of is not None and len(some) > FEW}
    yield from (node for node in nodes if not many or kind(node) not in many)
    yield from (one_of(of, some) for of, some in many.items())


def _one_of(nodes: Sequence[Node]) -> Node:
    """Return that one of simplified predicates holds."""
    if len(nodes) == 1:
        return nodes[0]
    parts = [node.nodes if isinstance(node, And) else (node,) for node in nodes]
    always = set(parts[0]).intersection(*parts[1:])
    common = [node for node in parts[0] if node in always]
    apart = [both(*(node for node in some if node not in always)) for some in parts]
    return simplified(both(*common, either(*apart)))


def _listed(conds: Conds) -> tuple[tuple[Value, ...], Conds] | None:
    """Return the values that `v` may have and the other conditions, if that is what they say."""
    of_v = [cond for cond in conds if cond.column == "v"]
    others = tuple(cond for cond in conds if cond.column != "v")
    match of_v:
        case [Cond(_, "=", (int() | float() | str()) as value)]:
            return (value,), others
        case [Cond(_, "in", tuple() as values)]:
            return values, others
    return None


def _match(param: str, others: Conds, values: tuple[Value, ...]) -> Match:
    one = Cond("v", "=", values[0]) if len(values) == 1 else Cond("v", "in", values)
    return Match(param, (one, *others))


class Asks(NamedTuple):
    """What alternatives ask: of entries by parameter, of groups of entries by composite and number
    of parts, and the rest."""

    matches: dict[str, list[Conds]]
    composites: dict[tuple[str, int], list[tuple[Conds, ...]]]
    rest: list[Node]


def grouped(nodes: Iterable[Node]) -> Asks:
    """Return alternatives so that each parameter need be looked at only once.

    >>> grouped((Match("a"), Match("a", ()), Ids(frozenset()))).matches
    {'a': [(), ()]}
    """
    asks = Asks({}, {}, [])
    for node in nodes:
        match node:
            case Match(param, conds):
                asks.matches.setdefault(param, []).append(conds)
            case Together(param, parts):
                asks.composites.setdefault((param, len(parts)), []).append(parts)
            case _:
                asks.rest.append(node)
    return asks
