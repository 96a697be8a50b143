"""Alternatives that differ in the grant that they ask for, told by what the patients' grants are.

Who has a thousand rules asks of each record whether a grant of rule 1 is about its patient and it
is what rule 1 opens, or one of rule 2 is, and so on. A patient has few grants. So the rules that
the patients of some candidates have tell what has to hold of each of these candidates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from fhir_server.search.simplify import simplified
from fhir_server.search.tree import And, Chain, ForEachPatient, Has, Match, Node, Not, Or, either
from fhir_server.store.mongo import logic
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.family import Family, read
from fhir_server.store.mongo.filter import Opened, Scope, compiled

_FEW = 16
"""So many alternatives are asked one by one."""
_TREES = 64


class Openings:
    """Predicates in which such alternatives are gathered, kept by the alternatives themselves.

    Who asks is decided once, so the next request brings the very same alternatives.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[int, tuple[Or, Node]] = {}

    def gathered(self, node: Node) -> Node:
        """Return a predicate that means the same."""
        match node:
            case And(nodes):
                return And(tuple(map(self.gathered, nodes)))
            case Or(nodes) if len(nodes) > _FEW:
                return self._opened(node)
            case Or(nodes):
                return Or(tuple(map(self.gathered, nodes)))
            case Not(inner):
                return Not(self.gathered(inner))
            case Chain() | Has():
                return replace(node, where=self.gathered(node.where))
            case _:
                return node

    def _opened(self, node: Or) -> Node:
        same, made = self._kept.get(id(node), (None, None))
        if same is not node or made is None:
            if len(self._kept) >= _TREES:
                self._kept.clear()
            made = _gathered(node.nodes)
            self._kept[id(node)] = node, made
        return made


def _gathered(nodes: Sequence[Node]) -> Node:
    families: dict[Family, dict[str, list[Node]]] = {}
    rest: list[Node] = []
    for node in nodes:
        found = _read(node)
        if found is None:
            rest.append(node)
        else:
            family, value, then = found
            families.setdefault(family, {}).setdefault(value, []).append(then)
    # The stores' other parts take it for a predicate that they cannot read.
    opened = [cast(Node, _made(family, thens)) for family, thens in families.items()]
    return Or((*rest, *opened))


def _read(node: Node) -> tuple[Family, str, Node] | None:
    parts = node.nodes if isinstance(node, And) else (node,)
    grants = [part for part in parts if isinstance(part, ForEachPatient)]
    if len(grants) != 1:
        return None
    family = read(grants[0])
    then = simplified(And(tuple(part for part in parts if part is not grants[0])))
    return (*family, then) if family and _is_plain(then) else None


def _is_plain(node: Node) -> bool:
    """Tell whether nothing has to be looked up for a predicate."""
    match node:
        case And(nodes) | Or(nodes):
            return all(map(_is_plain, nodes))
        case Not(inner):
            return _is_plain(inner)
        case _:
            return isinstance(node, Match)


def _made(family: Family, thens: Mapping[str, list[Node]]) -> Opened:
    places: dict[Node, int] = {}
    of = {
        value: places.setdefault(simplified(either(*some)), len(places))
        for value, some in thens.items()
    }
    return Opened(family, of, tuple(places))


def holding(
    opened: Opened, of: Mapping[int, frozenset[str]], scope: Scope, block: Sequence[Doc]
) -> Filter:
    """Return for which records of a block it holds. `of` are the values of the patients' grants."""
    ids: dict[int, list[str]] = {}
    for doc in block:
        for place in {opened.of[value] for value in _common(doc, of) if value in opened.of}:
            ids.setdefault(place, []).append(doc["_id"])
    return logic.either(
        logic.both(({"_id": {"$in": some}}, compiled(opened.thens[place], scope)))
        for place, some in ids.items()
    )


def _common(doc: Doc, of: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """Return the values that grants of each of a record's patients have."""
    each = [of.get(number, frozenset()) for number in doc["pids"]]
    return frozenset.intersection(*each) if each else frozenset()
