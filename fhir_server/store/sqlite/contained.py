"""Predicates on contained resources in SQL.

What a contained resource says stands under `#Type:parameter` of its container, with its `#id` as
path. So an index leads to containers in which something of the type says it; that all of it is said
by one and the same is then asked of each.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fhir_server.search.contained import leading
from fhir_server.search.tree import (
    NOTHING,
    And,
    Chain,
    Cond,
    Contained,
    Has,
    Match,
    Node,
    Not,
    OneOf,
    Or,
    Together,
    both,
)
from fhir_server.store.sqlite.condition import conditions
from fhir_server.store.sqlite.oneof import chosen
from fhir_server.store.sqlite.schema import BY_RECORD
from fhir_server.store.sqlite.sql import conjoined, exists
from fhir_server.store.sqlite.statement import NEVER, Statement, joined

_LEVELS = 8

Asks = Callable[[Sequence[str]], Iterable[str]]
Known = Callable[[str, str], bool]
"""Whether any record of a type ever had a parameter."""


def led(node: Node, type: str, known: Known) -> Node:
    """Return a predicate that holds for the same records of a type, with conditions that lead to
    containers; what no record ever contained is left out."""
    return _led(node, type, known) if _asks(node) else node


def _asks(node: Node) -> bool:
    """Tell whether any of it is asked of contained resources."""
    match node:
        case And(nodes) | Or(nodes):
            return any(map(_asks, nodes))
        case Not(inner):
            return _asks(inner)
        case Chain() | Has():
            return _asks(node.where)
        case _:
            return isinstance(node, Contained)


def _led(node: Node, type: str, known: Known) -> Node:
    match node:
        case And(nodes):
            return And(tuple(_led(each, type, known) for each in nodes))
        case Or(nodes):
            return Or(tuple(_led(each, type, known) for each in nodes))
        case Not(inner):
            return Not(_led(inner, type, known))
        case Chain() | Has():
            return replace(node, where=_led(node.where, node.type, known))
        case Contained(kind, where, param):
            if not known(type, f"#{kind}:_id"):
                return NOTHING
            lead = leading(node)
            return lead if isinstance(where, Match) and not param else both(lead, node)
        case _:
            return node


def contains(s: Statement, node: Contained, type: str, c: str) -> str:
    """Return the predicate on the row `c`, a container of a type."""
    a = s.alias()
    tests = [f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, f'#{node.type}:_id')}"]
    if node.param:
        r = s.alias()
        named = (
            f"{r}.rid = {c}.rid AND {r}.param = {s.param(type, node.param)} AND {r}.v = {a}.path"
        )
        tests.append(exists(f"entry {r} {BY_RECORD} WHERE {named}"))
    tests.append(_says(s, node.where, f"#{node.type}:", (type, a), _LEVELS))
    return exists(f"entry {a} {BY_RECORD} WHERE {conjoined(*tests)}")


def _says(s: Statement, node: Node, kind: str, container: tuple[str, str], levels: int) -> str:
    """Return the predicate on the entry that stands for a contained resource.

    `kind` is what stands in front of its parameters, `container` the type of the record and the
    alias of that entry; what is nested deeper than so many `levels` is a view.
    """
    match node:
        case And() | Or() | Not() if not levels:
            return _apart(s, node, kind, container)
        case And(nodes):
            parts = (_says(s, n, kind, container, levels - 1) for n in nodes)
            return joined("AND", parts, "1")
        case Or(nodes):
            parts = (_says(s, n, kind, container, levels - 1) for n in nodes)
            return joined("OR", parts, NEVER)
        case Not(inner):
            return f"NOT {_says(s, inner, kind, container, levels - 1)}"
        case Match(param, conds):
            return _entries(s, [f"{kind}{param}"], container, lambda a: conditions(s, a[0], conds))
        case Together(param, parts) if parts:
            names = [f"{kind}{param}.{place}" for place in range(len(parts))]
            return _entries(s, names, container, lambda a: _each(s, a, parts), "together")
        case Together():
            return NEVER
        case OneOf((word, params)):
            names = [f"{kind}{param}" for param in params]
            return _entries(s, names, container, lambda a: [chosen(s, node, a)], word)
        case _:
            raise TypeError(f"{node!r} is not asked of contained resources")


def _each(s: Statement, names: Sequence[str], parts: Sequence[Sequence[Cond]]) -> Iterable[str]:
    for name, conds in zip(names, parts, strict=True):
        yield from conditions(s, name, conds)


def _apart(s: Statement, node: Node, kind: str, container: tuple[str, str]) -> str:
    """The entry is one of a view of those that satisfy the node."""
    type, a = container

    def make() -> str:
        e = s.alias()
        tests = _says(s, node, kind, (type, e), _LEVELS)
        mine = f"{e}.param = {s.param(type, f'{kind}_id')}"
        return f"SELECT {e}.rid, {e}.path FROM entry {e} {BY_RECORD} WHERE {mine} AND {tests}"

    view, v = s.step(("said", type, kind, node), make, "NOT MATERIALIZED"), s.alias()
    return exists(f"{view} {v} WHERE {v}.rid = {a}.rid AND {v}.path = {a}.path")


def _entries(
    s: Statement, params: Sequence[str], container: tuple[str, str], asked: Asks, word: str = ""
) -> str:
    """Return that entries of one contained resource satisfy what is asked of their aliases; those
    that are `together`, of one group."""
    type, a = container
    names = [s.alias() for _ in params]
    tests: list[str] = []
    for name, param in zip(names, params, strict=True):
        tests += (f"{name}.rid = {a}.rid", f"{name}.param = {s.param(type, param)}")
        tests.append(f"{name}.path = {a}.path")
        tests += [f"{name}.grp = {names[0]}.grp"] if word == "together" else []
    source = " CROSS JOIN ".join(f"entry {name} {BY_RECORD}" for name in names)
    return exists(f"{source} WHERE {conjoined(*tests, *asked(names))}")
