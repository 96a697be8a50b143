"""The shape of a query: all of it but its values. What is compiled for one serves all alike.

1. Each distinct value has a slot. Queries of one shape differ in what stands in the slots alone, so
   which values are equal belongs to the shape.
2. So does what decides how the SQL is written: number or text, whether a prefix has an end, how
   long a short list is.
3. A node that is not known here makes a shape of this one query: its values belong to it.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from fhir_server.model import Query, Value
from fhir_server.search.near import around
from fhir_server.search.prefix import end
from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    Not,
    Now,
    OneOf,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
    unwritten,
)
from fhir_server.store.sqlite.choices import decides, ways
from fhir_server.store.sqlite.phrase import is_certain, matched

FEW = 16
"""The longest list whose values have a slot each; a longer one has one, unless it has floats."""

PATIENT = "Patient/"

Listed = tuple[Value, ...] | frozenset[str]
Slotted = Value | Listed


class Shape:
    """The shape of a query, and the values in its slots."""

    __slots__ = ("_slots", "_tokens", "choices", "grants", "is_unique", "named", "values")

    def __init__(self, query: Query) -> None:
        """Take a query apart."""
        self.values: list[Any] = []
        self.is_unique = False
        self.named: list[str] = []
        """Patients whom the query's own criteria name, by id or by reference."""
        self.grants: list[ForEachPatient] = []
        """The distinct predicates of grants."""
        self.choices: list[OneOf] = []
        """The distinct lists of alternatives."""
        self._slots: dict[tuple[type, Slotted], int] = {}
        behind = None if query.after is None else tuple(v is None for v in query.after)
        self._tokens: list[Hashable] = [query.type, behind, query.back]
        for sort in query.sort:
            self.tell(sort.param, sort.among, sort.descending, sort.written, len(sort.by))
            for node in (*sort.by, *(map(unwritten, sort.params) if sort.written else ())):
                self.add(node)
        self.tell(";")
        self.add(query.where)

    @property
    def key(self) -> Hashable:
        """What queries of this shape have in common."""
        return (*self._tokens, *(self.values if self.is_unique else ()))

    def slot(self, value: Slotted) -> int | None:
        """Return the slot of a value; None if the query has no such value."""
        return self._slots.get((type(value), value))

    def add(self, node: Node) -> None:
        """Put a node's tokens behind the others."""
        told = _TOLD.get(type(node))
        if told is None:
            self.is_unique = True
            self._tokens.append(node)
        else:
            self._tokens.append(type(node).__name__)
            told(self, node)

    def tell(self, *tokens: Hashable) -> None:
        """Add tokens."""
        self._tokens += tokens

    def fill(self, value: Slotted) -> None:
        """Add the slot of a value, a new one if it is the first of its kind."""
        known = (type(value), value)
        number = self._slots.get(known)
        if number is None:
            number = self._slots[known] = len(self.values)
            self.values.append(bounded(value))
        self._tokens.append(number)

    def fill_all(self, values: Listed) -> None:
        """Add the slots of a list."""
        if is_long(values):
            self._tokens.append("long")
            self.fill(values)
        else:
            self._tokens.append(len(values))
            for value in in_order(values):
                self.fill(value)


def is_long(values: Listed) -> bool:
    """Tell whether a list has one slot as a whole. JSON, as which it is bound, rounds floats."""
    return len(values) > FEW and float not in map(type, values)


def in_order(values: Listed) -> Iterable[Value]:
    """Return the values of a list, in an order that depends on nothing else."""
    return sorted(values) if isinstance(values, frozenset) else values


def bounded(value: Slotted) -> Slotted:
    """Return a value that SQLite can hold: an integer beyond 64 bits becomes a float."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _conds(shape: Shape, conds: Iterable[Cond]) -> None:
    for column, op, value in conds:
        shape.tell(column, op)
        match value:
            case Now():
                shape.tell("now")
            case tuple():
                shape.fill_all(value)
            case str() if op == "prefix":
                shape.tell(end(value) is None)
                shape.fill(value)
            case str():
                is_named = op == "=" and value.startswith(PATIENT)
                shape.tell("named" if is_named else "text")
                shape.fill(value)
                shape.named += [value] if is_named else []
            case _:
                shape.tell("number")
                shape.fill(value)
    shape.tell(";")


def _nodes(shape: Shape, node: And | Or) -> None:
    shape.tell(len(node.nodes))
    for each in node.nodes:
        shape.add(each)


def _match(shape: Shape, node: Match) -> None:
    shape.tell(node.param)
    _conds(shape, node.all)


def _together(shape: Shape, node: Together) -> None:
    shape.tell(node.param, len(node.parts))
    for part in node.parts:
        _conds(shape, part)


def _join(shape: Shape, node: Chain | Has) -> None:
    shape.tell(node.type, node.param, node.canonical)
    shape.add(node.where)


def _contained(shape: Shape, node: Contained) -> None:
    shape.tell(node.type, node.param)
    shape.add(node.where)


def _words(shape: Shape, node: Words) -> None:
    shape.tell(node.scope, len(node.words))
    shape.fill(node.sought)
    if node.words:
        shape.tell(is_certain(node))
        shape.fill(matched(node))


def _near(shape: Shape, node: Near) -> None:
    shape.tell(node.param)
    for value in (node.latitude, node.longitude, node.metres):
        shape.fill(value)
    _conds(shape, around(node))


def _one_of(shape: Shape, node: OneOf) -> None:
    if node not in shape.choices:
        shape.choices.append(node)
    shape.tell(node.kind, shape.choices.index(node), ways(node), decides(node))


def _each(shape: Shape, node: ForEachPatient) -> None:
    if node not in shape.grants:
        shape.grants.append(node)
    shape.tell(node.type)
    shape.add(node.where)


_TOLD: dict[type, Callable[[Shape, Any], None]] = {
    And: _nodes,
    Or: _nodes,
    Not: lambda shape, node: shape.add(node.node),
    Match: _match,
    Together: _together,
    Ids: lambda shape, node: shape.fill_all(node.ids),
    Updated: lambda shape, node: _conds(shape, node.all),
    Chain: _join,
    Has: _join,
    Contained: _contained,
    Words: _words,
    Near: _near,
    OneOf: _one_of,
    InPatient: lambda shape, node: shape.fill(node.patient),
    OnlyPatients: lambda shape, node: shape.fill_all(node.patients),
    ForEachPatient: _each,
}
