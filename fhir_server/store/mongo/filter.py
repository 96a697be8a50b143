"""A predicate of the search tree as a MongoDB filter, joins already resolved. Pure.

A join is looked up in `joins`, which say what it means for the records in question. One that they
do not tell is left open: the filter then lets through all that may match, and perhaps more.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fhir_server.search.near import around
from fhir_server.search.simplify import grouped
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
    OneOf,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)
from fhir_server.store.mongo.condition import ALWAYS, NEVER, Filter, columns
from fhir_server.store.mongo.family import Family
from fhir_server.store.mongo.logic import ANY, both, either, entry, negated, part_of
from fhir_server.store.mongo.measure import nearest
from fhir_server.store.mongo.oneof import one_of
from fhir_server.store.mongo.text import said
from fhir_server.store.order import SEVERAL


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Alternatives that each ask for a record of one family about each patient, and for something
    of the record itself: what, by the family's value (`of`), for which parameters (`params`)."""

    family: Family
    of: Mapping[str, Node]
    params: tuple[str, ...]

    def __hash__(self) -> int:
        """Hash by the family: it is the same for the next query of the same caller."""
        return hash((self.family, len(self.of)))


Join = Chain | Has | ForEachPatient
Looked = Join | Opened | Contained
"""What has to be looked up before it means anything."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter is made with: the type that is asked for, the time, the numbers of the patients
    that the predicate names (none: not known to the store), what its joins mean, and what is
    certain of those of which that is not known."""

    type: str
    now: int
    patients: Mapping[str, int] = field(default_factory=dict)
    joins: Mapping[object, Filter] = field(default_factory=dict)
    bounds: Mapping[object, Filter] = field(default_factory=dict)


def joins(node: Node | Opened) -> Iterator[Looked]:
    """Yield the joins of a predicate, not those inside of them, and what is contained."""
    match node:
        case Chain() | Has() | ForEachPatient() | Contained() | Opened():
            yield node
        case And(nodes) | Or(nodes):
            for inner in nodes:
                yield from joins(inner)
        case Not(inner):
            yield from joins(inner)


def patients(node: Node) -> Iterator[str]:
    """Yield the patients that a predicate names outside of its joins."""
    match node:
        case InPatient(patient):
            yield patient
        case OnlyPatients(some):
            yield from some
        case And(nodes) | Or(nodes):
            for inner in nodes:
                yield from patients(inner)
        case Not(inner):
            yield from patients(inner)


def compiled(  # noqa: C901, PLR0911, PLR0912 one a node
    node: Node, scope: Scope, certain: bool = True
) -> Filter:
    """Return the filter; what is left open counts as true, or as false where not `certain`."""
    match node:
        case And(nodes):
            return both(compiled(n, scope, certain) for n in nodes)
        case Or(nodes):
            asks = grouped(nodes)
            parts = [_one_of(param, some, scope.now) for param, some in asks.matches.items()]
            parts += (
                _together(param, parts, scope.now)
                for (param, _), some in asks.composites.items()
                for parts in some
            )
            return either([*parts, *(compiled(n, scope, certain) for n in asks.rest)])
        case OneOf():
            return one_of(node, scope.now, lambda each: compiled(each, scope, certain))
        case Not(inner):
            return negated(compiled(inner, scope, not certain))
        case Match(param, conds):
            return _match(param, conds, scope.now)
        case Together(param, parts):
            return _together(param, parts, scope.now)
        case Ids(ids):
            return {"_id": {"$in": [f"{scope.type}/{id}" for id in sorted(ids)]}}
        case Updated(conds):
            return columns(conds, scope.now, "at")
        case Words():
            return both(said(node))
        case InPatient() | OnlyPatients():
            return _patients(node, scope)
        case Near(param):
            within: Filter = {"$expr": {"$lte": [nearest(node), node.metres]}}
            return both((_match(param, around(node), scope.now), within))
        case _:
            known = scope.joins.get(node)
            if known is not None:
                return known
            return scope.bounds.get(node, ALWAYS) if certain else NEVER


def _patients(node: InPatient | OnlyPatients, scope: Scope) -> Filter:
    if isinstance(node, OnlyPatients):
        return only([scope.patients[p] for p in node.patients if p in scope.patients])
    number = scope.patients.get(node.patient)
    return NEVER if number is None else {"pids": {"$eq": number}}


def only(numbers: Collection[int]) -> Filter:
    """Return that the record is about somebody, and only about patients of these numbers."""
    if not numbers:
        return NEVER
    allowed = sorted(numbers)
    others = {"pids": {"$elemMatch": {"$nin": allowed}}}
    return {"pid": {"$in": [SEVERAL, *allowed]}, "$nor": [others]}


def _match(param: str, conds: Sequence[Cond], now: int) -> Filter:
    return entry(param, columns(conds, now))


def _one_of(param: str, some: Sequence[Sequence[Cond]], now: int) -> Filter:
    """Some one entry of `param` satisfies some of the conditions."""
    return entry(param, either(columns(conds, now) for conds in some))


def _together(param: str, parts: Sequence[Sequence[Cond]], now: int) -> Filter:
    if not parts:
        return NEVER
    wanted: Filter = {"p": param}
    for place, conds in enumerate(parts):
        _, name = part_of(f"{param}.{place}")
        found = columns(conds, now) or ANY
        if name == "a" and found.get("v", {}).keys() in ({"$eq"}, {"$in"}):
            wanted["a.v"] = found["v"]  # says nothing more, but gives the index its bounds
        wanted[name] = {"$elemMatch": found}
    return {"c": {"$elemMatch": wanted}}
