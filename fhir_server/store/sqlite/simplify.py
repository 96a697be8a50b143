"""Smaller predicates that mean the same: what SQLite's parser and planner are spared.

1. `And` in `And` and `Or` in `Or` become one; one of a single part is that part; two `Not` cancel.
2. In an `Or`, comparisons of one parameter that differ in the value alone become one `in`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhir_server.model import Value
from fhir_server.search.tree import And, Chain, Cond, ForEachPatient, Has, Match, Node, Not, Or


def simplified(node: Node) -> Node:
    """Return a predicate that holds for the same records."""
    match node:
        case And(nodes):
            parts = tuple(_flat(And, nodes))
            return parts[0] if len(parts) == 1 else And(parts)
        case Or(nodes):
            parts = _gathered(tuple(_flat(Or, nodes)))
            return parts[0] if len(parts) == 1 else Or(parts)
        case Not(inner):
            plain = simplified(inner)
            return plain.node if isinstance(plain, Not) else Not(plain)
        case Chain() | Has() | ForEachPatient():
            return replace(node, where=simplified(node.where))
        case _:
            return node


def _flat(kind: type[And] | type[Or], nodes: Iterable[Node]) -> Iterable[Node]:
    for node in map(simplified, nodes):
        if isinstance(node, kind):
            yield from node.nodes
        else:
            yield node


def _gathered(nodes: Sequence[Node]) -> tuple[Node, ...]:
    alike: dict[tuple[str, tuple[Cond, ...]], list[Value]] = defaultdict(list)
    rest: list[Node] = []
    for node in nodes:
        match node:
            case Match(param, (Cond("v", "=", (int() | float() | str()) as value), *others)):
                alike[param, tuple(others)].append(value)
            case _:
                rest.append(node)
    return (*(_match(param, others, values) for (param, others), values in alike.items()), *rest)


def _match(param: str, others: tuple[Cond, ...], values: Sequence[Value]) -> Match:
    one = Cond("v", "=", values[0]) if len(values) == 1 else Cond("v", "in", tuple(values))
    return Match(param, (one, *others))
