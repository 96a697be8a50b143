"""Alternatives that differ in the grant that they ask for: a row's grants are looked at instead.

Who has a thousand rules asks of each record whether a grant of rule 1 is about its patient and it
is what rule 1 opens, or one of rule 2 is, and so on. A patient has few grants. So they are sought,
and which rule each is of tells what has to hold of the record.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fhir_server.search.tree import And, Cond, ForEachPatient, Match, Node, both
from fhir_server.store.order import NOBODY, SEVERAL
from fhir_server.store.sqlite.schema import BY_RECORD
from fhir_server.store.sqlite.statement import Statement

_FEW = 16
"""So many alternatives are asked one by one."""

Holds = Callable[[Node, str, str], str]
"""Puts the predicate that a node holds of a type's row, by its alias."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Some record of `type` about each patient has the `value` for `param` and satisfies `rest`,
    and the row satisfies `then`."""

    type: str
    param: str
    value: str
    rest: tuple[Node, ...]
    then: Node


def openings(nodes: Sequence[Node]) -> tuple[list[list[Opening]], list[Node]]:
    """Return groups of many alternatives that differ in one value alone, and all others."""
    found: dict[tuple[str, str, tuple[Node, ...]], dict[Node, Opening]] = {}
    for node in nodes:
        for opening in _read(node):
            group = found.setdefault((opening.type, opening.param, opening.rest), {})
            group[node] = opening
    taken: set[Node] = set()
    groups: list[list[Opening]] = []
    for group in sorted(found.values(), key=len, reverse=True):
        fresh = {node: opening for node, opening in group.items() if node not in taken}
        if len(fresh) > _FEW:
            groups.append(list(fresh.values()))
            taken |= fresh.keys()
    return groups, [node for node in nodes if node not in taken]


def _read(node: Node) -> Iterable[Opening]:
    """Yield the ways in which an alternative may be read as an opening."""
    parts = node.nodes if isinstance(node, And) else (node,)
    grants = [part for part in parts if isinstance(part, ForEachPatient)]
    if len(grants) != 1:
        return
    where = grants[0].where
    asked = where.nodes if isinstance(where, And) else (where,)
    then = both(*(part for part in parts if part is not grants[0]))
    for each in asked:
        match each:
            case Match(param, (Cond("v", "=", str() as value),)):
                rest = tuple(other for other in asked if other is not each)
                yield Opening(grants[0].type, param, value, rest, then)


def opened(s: Statement, group: Sequence[Opening], type: str, c: str, holds: Holds) -> str:
    """Return the predicate that one of a group's openings holds of the row `c`."""
    first, (g, e, m) = group[0], (s.alias(), s.alias(), s.alias())
    several = f"(SELECT min({m}.pid) FROM several {m} WHERE {m}.rid = {c}.rid)"
    pid = f"(CASE {c}.patient WHEN {SEVERAL} THEN {several} ELSE {c}.patient END)"
    rules: dict[str, list[str]] = {}
    for each in group:
        rules.setdefault(s.bind(each.value), []).append(holds(each.then, type, c))
    cases = " ".join(f"WHEN {value} THEN ({' OR '.join(some)})" for value, some in rules.items())
    tests = (
        *_having(s, first, g, e, holds),
        f"CASE {e}.v {cases} ELSE 0 END",
        f"({c}.patient <> {SEVERAL} OR {_all_have(s, first, c, e, holds)})",
    )
    source = f"{_about(s, first.type, pid)} {g} CROSS JOIN entry {e} {BY_RECORD}"
    return f"({c}.patient <> {NOBODY} AND EXISTS (SELECT 1 FROM {source} WHERE {_and(tests)}))"


def _all_have(s: Statement, first: Opening, c: str, e: str, holds: Holds) -> str:
    """Each patient of the row has a record with the same value."""
    x, h, f = s.alias(), s.alias(), s.alias()
    source = f"{_about(s, first.type, f'{x}.pid')} {h} CROSS JOIN entry {f} {BY_RECORD}"
    tests = (*_having(s, first, h, f, holds), f"{f}.v = {e}.v")
    one = f"EXISTS (SELECT 1 FROM {source} WHERE {_and(tests)})"
    return f"NOT EXISTS (SELECT 1 FROM several {x} WHERE {x}.rid = {c}.rid AND NOT {one})"


def _having(s: Statement, first: Opening, g: str, e: str, holds: Holds) -> Iterable[str]:
    yield f"{e}.rid = {g}.rid"
    yield f"{e}.param = {s.param(first.type, first.param)}"
    yield from (holds(node, first.type, g) for node in first.rest)


def _about(s: Statement, type: str, pid: str) -> str:
    """Return the living records of a type about a patient."""
    m, q, kind = s.alias(), s.alias(), s.kind(type)
    single = (
        f"SELECT rid, patient FROM record INDEXED BY record_kind "
        f"WHERE kind = {kind} AND deleted = 0 AND patient = {pid}"
    )
    shared = (
        f"SELECT {q}.rid, {q}.patient FROM several {m} CROSS JOIN record {q} "
        f"WHERE {m}.pid = {pid} AND {q}.rid = {m}.rid AND {q}.kind = {kind} AND {q}.deleted = 0"
    )
    return f"({single} UNION ALL {shared})"


def _and(tests: Iterable[str]) -> str:
    return " AND ".join(tests)
