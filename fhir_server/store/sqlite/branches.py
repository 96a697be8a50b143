"""The branches of a query: alternatives that are sought apart, each by an index of its own."""

from collections.abc import Iterable, Sequence

from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    ForEachPatient,
    Has,
    InPatient,
    Match,
    Near,
    Node,
    OneOf,
    OnlyPatients,
    Or,
    Updated,
    Words,
)
from fhir_server.store.sqlite.choices import ways
from fhir_server.store.sqlite.condition import equal
from fhir_server.store.sqlite.estimate import MOST_BRANCHES, is_few, is_sought, least
from fhir_server.store.sqlite.statement import Statement

PATIENTS = InPatient | OnlyPatients | ForEachPatient
"""Nodes that name patients, to whose records an index leads in the default order."""


def flat(node: Node) -> Iterable[Node]:
    """Yield what has to hold together."""
    if isinstance(node, And):
        for inner in node.nodes:
            yield from flat(inner)
    else:
        yield node


def split(s: Statement, type: str, where: Node, every: bool) -> list[list[Node]]:
    """Return alternatives that together are `where`: only one, if some index narrows it enough."""
    nodes = list(flat(where))
    if least(s, type, nodes) is not None:
        return [nodes]
    for place, node in enumerate(nodes):
        rest = nodes[:place] + nodes[place + 1 :]
        match node:
            case Or(inner):
                apart = [each for n in inner for each in _apart(n)]
                if apart and _worth_splitting(s, type, apart, every):
                    # What all alternatives share leads first: they may be whose records they are.
                    return [[*rest, *flat(n)] for n in apart]
            case Match():
                apart = _apart(node)
                if apart != [node]:
                    return [[each, *rest] for each in apart]
    return [nodes]


def _apart(node: Node) -> list[Node]:
    """Return an equality for each value of a short list, of which one has to hold."""
    if isinstance(node, Match):
        for cond in node.all:
            values = cond.value if cond[:2] == ("v", "in") else ()
            if isinstance(values, tuple) and 0 < len(values) <= MOST_BRANCHES:
                others = tuple(c for c in node.all if c is not cond)
                return [Match(node.param, (Cond("v", "=", v), *others)) for v in values]
    return [node]


def _worth_splitting(s: Statement, type: str, nodes: Sequence[Node], every: bool) -> bool:
    return len(nodes) <= MOST_BRANCHES and all(
        any(_drives(s, type, n, every) for n in flat(node)) for node in nodes
    )


def _drives(s: Statement, type: str, node: Node, every: bool) -> bool:
    return (
        (isinstance(node, Match) and equal(node.all) is not None)
        or isinstance(node, PATIENTS)
        or (every and isinstance(node, Chain | Has | Words) and leads(node))
        or is_few(s, type, node)
    )


def leads(node: Node) -> bool:
    """Tell whether an index leads to the node's records, though in no useful order."""
    match node:
        case Words(_, words):
            return bool(words)
        case Or(nodes):
            return all(map(is_sought, nodes))
        case OneOf(("text", _)):
            return False  # thousands of phrases may each lead to all records
        case OneOf():
            return bool(ways(node))
        case _:
            return isinstance(node, Chain | Has | Updated | Near) or is_sought(node)
