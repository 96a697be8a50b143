"""Alternatives that differ in the grant that they ask for, told by what the patients' grants are.

Who has a thousand rules asks of each record whether a grant of rule 1 is about its patient and it
is what rule 1 opens, or one of rule 2 is, and so on. A patient has few grants. So the rules of a
candidate's patients tell what has to hold of it, and of thousands few are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.simplify import simplified
from fhir_server.search.tree import (
    And,
    Chain,
    ForEachPatient,
    Has,
    Match,
    Node,
    Not,
    OneOf,
    Or,
    either,
)
from fhir_server.store.mongo import documents
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.family import Family, read
from fhir_server.store.mongo.filter import Opened
from fhir_server.store.mongo.logic import part_of

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
        if same is node and made is not None:
            return made
        opened, rest = _told_apart(node.nodes)
        made = Or((*map(self.gathered, rest), *opened))
        if opened:
            if len(self._kept) >= _TREES:
                self._kept.clear()
            self._kept[id(node)] = node, made
        return made


def _told_apart(nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Return what alternatives with grants became, and all others."""
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
    return [cast(Node, _made(family, thens)) for family, thens in families.items()], rest


def _read(node: Node) -> tuple[Family, str, Node] | None:
    parts = node.nodes if isinstance(node, And) else (node,)
    grants = [part for part in parts if isinstance(part, ForEachPatient)]
    if len(grants) != 1:
        return None
    family = read(grants[0])
    then = simplified(And(tuple(part for part in parts if part is not grants[0])))
    return (*family, then) if family and _is_plain(then) else None


def _is_plain(node: Node) -> bool:
    """Tell whether entries that stand alone tell it."""
    match node:
        case And(nodes) | Or(nodes):
            return all(map(_is_plain, nodes))
        case Not(inner):
            return _is_plain(inner)
        case Match(param):
            return not part_of(param)[1]
        case OneOf(("matches" | "and", params)):
            return not any(part_of(param)[1] for param in params)
        case _:
            return False


def _made(family: Family, thens: Mapping[str, list[Node]]) -> Opened:
    of = {value: simplified(either(*some)) for value, some in thens.items()}
    params = {param for then in of.values() for param in _params(then)}
    return Opened(family, of, tuple(sorted(params)))


def _params(node: Node) -> Iterator[str]:
    match node:
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from _params(each)
        case Not(inner):
            yield from _params(inner)
        case Match(param):
            yield param
        case OneOf((_, params)):
            yield from params
        case OneOf((_, params)):
            yield from params


def holds(
    opened: Opened, of: Mapping[int, frozenset[str]], doc: Doc, entries: list[Doc], now: int
) -> bool:
    """Tell whether a record satisfies one of the alternatives.

    `of` are the values of the patients' grants, `entries` what the record says for `opened.params`.
    """
    each = [of.get(number, frozenset()) for number in doc["pids"]]
    common = frozenset.intersection(*each) if each else frozenset()
    thens = [opened.of[value] for value in common if value in opened.of]
    if not thens:
        return False
    said = documents.entries({"e": entries})
    record = Plain(documents.key(doc["_id"]), 0, said, ())
    return any(evaluate(then, record, now=now) for then in thens)
