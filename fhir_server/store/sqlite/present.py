"""Alternatives that no record satisfies are left out, before a query is planned.

What is asked of several parameters (`search.unions`) is mostly said under one of them: a code is
either one of whole observations or one of their components. One look into the index tells, and
what is left is planned, sorted and counted as if it alone had been asked.
"""

from dataclasses import replace
from functools import cache

from fhir_server.model import Value
from fhir_server.search.tree import And, Chain, Cond, Has, Match, Node, Not, Or, Together, either
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.schema import BY_VALUE
from fhir_server.store.sqlite.shape import FEW, bounded


def present(connection: Connection, names: Names, type: str, node: Node) -> Node:
    """Return a predicate that holds for the same records of a type at this moment."""
    match node:
        case And(nodes):
            return And(tuple(present(connection, names, type, each) for each in nodes))
        case Or(nodes) if len(nodes) <= FEW and all(map(_sought, nodes)):
            return either(*(each for each in nodes if _is_there(connection, names, type, each)))
        case Not(inner):
            return Not(present(connection, names, type, inner))
        case Chain() | Has():
            return replace(node, where=present(connection, names, node.type, node.where))
        case _:
            return node


def _sought(node: Node) -> tuple[str, tuple[Value, ...]] | None:
    """Return the parameter and the values one of which an entry of it has, if it is known."""
    match node:
        case Match(param, conds):
            values = next(filter(None, map(_values, conds)), None)
            return (param, values) if values else None
        case Together(param, parts):
            asked = (_sought(Match(f"{param}.{n}", conds)) for n, conds in enumerate(parts))
            return next(filter(None, asked), None)
    return None


def _values(cond: Cond) -> tuple[Value, ...] | None:
    match cond:
        case Cond("v", "=", (int() | float() | str()) as value):
            return (value,)
        case Cond("v", "in", tuple() as values) if len(values) <= FEW:
            return values
    return None


def _is_there(connection: Connection, names: Names, type: str, node: Node) -> bool:
    sought = _sought(node)
    assert sought is not None
    param, values = sought
    asked = (names.param(connection, type, param), *map(bounded, values))
    return bool(connection.execute(_look(len(values)), asked).fetchone()[0])


@cache
def _look(values: int) -> str:
    places = ",".join("?" * values)
    return f"SELECT EXISTS (SELECT 1 FROM entry {BY_VALUE} WHERE param = ? AND v IN ({places}))"
