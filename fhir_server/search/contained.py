"""What contained resources say: their entries, and predicates on one of them.

https://hl7.org/fhir/R4/search.html#contained

1. An entry of a contained resource has its `#id` as path, and its type in front of its parameter:
   `Medication:code`. The entry `Medication:_id` stands for the resource itself.
2. "A chained condition will be evaluated inside contained resources": a chain is satisfied, too, by
   a contained resource that the reference names.
3. A predicate on a contained resource looks at its own entries alone. It has no joins; and no time
   of its own, since a contained resource "SHALL NOT have a meta.versionId or a meta.lastUpdated".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import is_

from fhir_server.errors import NotSupported
from fhir_server.model import Entry
from fhir_server.search.tree import (
    NOTHING,
    And,
    Chain,
    Cond,
    Contained,
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


def entries_of(type: str, id: str, said: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries that a container has for what one of its contained resources says."""
    path = f"#{id}"
    yield Entry(f"{type}:_id", id, path=path)
    for entry in said:
        yield entry._replace(param=f"{type}:{entry.param}", path=path)


def contained(type: str, entries: Iterable[Entry]) -> Iterator[tuple[str, Sequence[Entry]]]:
    """Yield the ids of the contained resources of a type, and what each says, as it would alone."""
    prefix = f"{type}:"
    said: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.path and entry.param.startswith(prefix):
            bare = entry._replace(param=entry.param.removeprefix(prefix), path="")
            said.setdefault(entry.path, []).append(bare)
    for path, found in said.items():
        yield path[1:], found


def chained(node: Node) -> Node:
    """Return a predicate whose chains also go to what is contained, as far as that can be asked.

    It is the predicate itself where there is nothing to change.
    """
    match node:
        case And(nodes) | Or(nodes):
            made = tuple(map(chained, nodes))
            return node if all(map(is_, made, nodes)) else replace(node, nodes=made)
        case Not(inner):
            there = chained(inner)
            return node if there is inner else Not(there)
        case Has():
            return replace(node, where=chained(node.where))
        case Chain(param, type, where):
            there = replace(node, where=chained(where))
            try:
                return either(there, Contained(type, inside(where), param))
            except NotSupported:
                return there
        case _:
            return node


def inside(node: Node) -> Node:
    """Return a predicate as it is asked of a contained resource. Raises `NotSupported`."""
    match node:
        case Match() | Together():
            return node
        case Ids(ids):
            return Match("_id", (Cond("v", "in", tuple(sorted(ids))),))
        case Updated():
            return NOTHING
        case And(nodes):
            return And(tuple(map(inside, nodes)))
        case Or(nodes):
            return Or(tuple(map(inside, nodes)))
        case Not(inner):
            return Not(inside(inner))
        case _:
            raise NotSupported("A contained resource is not searched by what it is joined with")


def leading(node: Contained) -> Node:
    """Return what holds of every record that the node holds of, in entries as a store names them:
    `#Medication:code`. For one criterion on any contained resource it is the same."""
    return _said(node.type, node.where)


def _said(kind: str, node: Node) -> Node:
    match node:
        case Match(param, conds):
            return Match(f"#{kind}:{param}", conds)
        case Together(param, parts):
            return Together(f"#{kind}:{param}", parts)
        case And(nodes) if nodes:
            return both(*(_said(kind, each) for each in nodes))
        case Or(nodes):
            return either(*(_said(kind, each) for each in nodes))
        case _:
            return Match(f"#{kind}:_id")
