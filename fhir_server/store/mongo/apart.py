"""Alternatives of which one is told by grants, asked one by one.

What an institution may see is its own records, those that grants name, and those of the patients
who granted it: each has an index that leads there, all together have none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_server.search.tree import And, ForEachPatient, Has, Node, Not, Or, both, either
from fhir_server.store.mongo.family import Family, read
from fhir_server.store.mongo.filter import Opened, joins


@dataclass(frozen=True, slots=True)
class Apart:
    """`rest` holds, and one of the alternatives: those that are no joins are the first of them,
    those that grants tell the next."""

    rest: tuple[Node, ...]
    alternatives: tuple[Node, ...]

    def each(self) -> Iterator[Node]:
        """Yield the predicate of each alternative; a record may satisfy several."""
        for node in self.alternatives:
            yield both(*self.rest, node)

    def disjoint(self) -> Iterator[Node]:
        """Yield predicates of which a record satisfies one at most."""
        for place, node in enumerate(self.alternatives):
            yield both(*self.rest, node, *map(Not, self.alternatives[:place]))


def apart(where: Node) -> Apart | None:
    """Take a predicate apart; None if no grants are among its alternatives."""
    parts = where.nodes if isinstance(where, And) else (where,)
    for place, part in enumerate(parts):
        if isinstance(part, Or) and any(map(_is_granted, part.nodes)):
            rest = (*parts[:place], *parts[place + 1 :])
            return Apart(rest, tuple(_alternatives(part)))
    return None


def _alternatives(part: Or) -> Iterator[Node]:
    granted = [node for node in part.nodes if _is_granted(node)]
    others = [node for node in part.nodes if not _is_granted(node)]
    plain = [node for node in others if next(joins(node), None) is None]
    if plain:
        yield either(*plain)
    yield either(*granted)
    yield from (node for node in others if node not in plain)


def _is_granted(node: Node) -> bool:
    return any(isinstance(join, ForEachPatient | Opened) for join in joins(node))


def bounding(where: Node) -> Family | None:
    """Return a family that permits something to each of the patients of whoever satisfies a
    predicate; None if none is known to."""
    for part in where.nodes if isinstance(where, And) else (where,):
        found = {_permitting(node) for node in (part.nodes if isinstance(part, Or) else (part,))}
        if len(found) == 1 and None not in found:
            return found.pop()
    return None


def _permitting(node: Node) -> Family | None:
    parts = node.nodes if isinstance(node, And) else (node,)
    for part in parts:
        if isinstance(part, ForEachPatient) and (found := read(part)):
            return found[0]
    return None


def families(where: Node) -> Iterator[Family | None]:
    """Yield the families of the grants and packages that a predicate asks for outside of other
    joins; None for those of none."""
    for join in joins(where):
        match join:
            case Opened(family):
                yield family
            case ForEachPatient() | Has():
                found = read(join)
                if found is not None or isinstance(join, ForEachPatient):
                    yield found[0] if found else None
