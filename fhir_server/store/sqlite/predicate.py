"""A predicate of the search tree as a boolean expression in SQL, on one row's `rid` and `patient`.

The other side of a join is a step (a set, made once) where it is few or all of it is needed, and is
looked up row by row where it is many. What is nested deep is a view: SQLite reads each by itself
and puts it into its place afterwards, so that its parser's stack does not bound the depth.
"""

from collections.abc import Callable, Iterable, Sequence

from fhir_server.search.simplify import Asks, grouped
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
from fhir_server.store.sqlite import joins, oneof, patients
from fhir_server.store.sqlite.condition import compare, conditions, equal
from fhir_server.store.sqlite.contained import contains
from fhir_server.store.sqlite.forms import either
from fhir_server.store.sqlite.measure import reached
from fhir_server.store.sqlite.openings import opened, openings
from fhir_server.store.sqlite.reach import FOR_ALL, USUAL, Reach
from fhir_server.store.sqlite.schema import BY_RECORD
from fhir_server.store.sqlite.sql import conjoined, exists
from fhir_server.store.sqlite.statement import NEVER, Statement, joined
from fhir_server.store.sqlite.text import said


def cheapest_first(s: Statement, nodes: Iterable[Node]) -> list[Node]:
    """Return nodes in the order in which a row is asked for them: a set, one seek, one range,
    joins."""
    return sorted(nodes, key=lambda node: -1 if s.kept(node) is not None else _cost(node))


def _cost(node: Node) -> int:
    match node:
        case Match(_, conds):
            return 0 if equal(conds) is not None else 1
        case And(nodes) | Or(nodes):
            return max(map(_cost, nodes), default=0) + 1
        case Not(inner):
            return _cost(inner)
        case Chain() | Has() | ForEachPatient():
            return 9
        case _:
            return 1


def holds(  # noqa: PLR0911 one a node
    s: Statement, node: Node, type: str, c: str, reach: Reach = USUAL
) -> str:
    """Return the predicate on the row `c`, an alias that has `rid` and `patient`.

    `reach` is how far it is followed in one expression.
    """
    match node:
        case And() | Or() | Not():
            return _bracketed(s, node, type, c, reach)
        case Match(param, conds):
            return exists(_entry(s, type, param, conds, c))
        case Together(param, parts):
            return _together(s, type, param, [parts], c)
        case Ids(ids):
            refs = s.one_of(ids, f"{type}/")
            return f"{c}.rid IN (SELECT rid FROM record WHERE ref IN {refs})"
        case Updated(conds):
            a = s.alias()
            tests = compare(s, f"{a}.updated", conds)
            return exists(f"record {a} WHERE {conjoined(f'{a}.rid = {c}.rid', *tests)}")
        case Words():
            return said(s, node, type, c)
        case OneOf():
            return oneof.holds(s, node, type, c)
        case Near(param):
            a = s.alias()
            mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
            return exists(f"entry {a} {BY_RECORD} WHERE {conjoined(*mine, *reached(s, node, a))}")
        case _:
            return _joins(s, node, type, c, reach)


def _bracketed(s: Statement, node: And | Or | Not, type: str, c: str, reach: Reach) -> str:
    if not reach.levels:
        return _apart(s, node, type, c, reach)
    inside = reach.inside()
    match node:
        case And(nodes):
            return joined(
                "AND", (holds(s, n, type, c, inside) for n in cheapest_first(s, nodes)), "1"
            )
        case Or(nodes):
            return joined("OR", _choices(s, grouped(nodes), type, c, inside), NEVER)
        case Not(inner):
            return f"NOT {holds(s, inner, type, c, inside)}"


def _apart(s: Statement, node: Node, type: str, c: str, reach: Reach) -> str:
    """The row is one of a view of the records that satisfy the node."""

    def make() -> str:
        r = s.alias()
        tests = holds(s, node, type, r, reach.apart())
        return f"SELECT {r}.rid AS rid FROM record {r} WHERE {tests}"

    a = s.alias()
    view = s.step(("view", type, node, reach), make, "NOT MATERIALIZED")
    return exists(f"{view} {a} WHERE {a}.rid = {c}.rid")


def _choices(s: Statement, asks: Asks, type: str, c: str, reach: Reach) -> Iterable[str]:
    kept = [node for node in asks.rest if s.kept(node) is not None]
    yield from (holds(s, node, type, c, reach) for node in kept)
    for param, some in asks.matches.items():
        yield _one_of(s, type, param, some, c)
    for (param, _), parts in asks.composites.items():
        yield _together(s, type, param, parts, c)
    groups, rest = openings([node for node in asks.rest if node not in kept])
    for group in groups:
        yield opened(s, group, type, c, lambda node, of, row: holds(s, node, of, row, reach))
    for node in cheapest_first(s, rest):
        yield holds(s, node, type, c, reach)


def _joins(s: Statement, node: Node, type: str, c: str, reach: Reach) -> str:
    match node:
        case Chain():
            return joins.chain(s, type, node, c, _behind(s, node, reach))
        case Has():
            return joins.has(s, type, node, c, _behind(s, node, reach))
        case Contained():
            return contains(s, node, type, c)
        case InPatient():
            return patients.within(s, node, c)
        case OnlyPatients():
            return patients.only(s, node, c)
        case ForEachPatient(other, where):
            return patients.each(
                s, node, c, reach, lambda row: holds(s, where, other, row, FOR_ALL)
            )
        case _:
            raise TypeError(f"{node!r} is not a search node")


def _behind(s: Statement, join: Chain | Has, reach: Reach) -> Callable[[str], str] | None:
    """Return what the other side has to satisfy row by row, None where it becomes a set."""
    if reach.collects(s, join):
        return None
    return lambda row: holds(s, join.where, join.type, row, reach.behind())


def _entry(s: Statement, type: str, param: str, conds: Iterable[Cond], c: str) -> str:
    a = s.alias()
    tests = conditions(s, a, conds)
    mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
    return f"entry {a} {BY_RECORD} WHERE {conjoined(*mine, *tests)}"


def _one_of(s: Statement, type: str, param: str, some: Iterable[Sequence[Cond]], c: str) -> str:
    """An entry of `param` satisfies some of the conditions: it is sought once for all of them."""
    a = s.alias()
    mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
    test = either(s, ([(a, conds)] for conds in some))
    return exists(f"entry {a} {BY_RECORD} WHERE {conjoined(*mine, test)}")


def _together(
    s: Statement, type: str, param: str, some: Sequence[Sequence[Sequence[Cond]]], c: str
) -> str:
    """Entries of one group satisfy some of the choices, each with its conditions for each part."""
    aliases = [s.alias() for _ in some[0]]
    if not aliases:
        return NEVER
    tests: list[str] = []
    for place, a in enumerate(aliases):
        tests += (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, f'{param}.{place}')}")
        tests += [f"{a}.grp = {aliases[0]}.grp"] if place else []
    source = " CROSS JOIN ".join(f"entry {a} {BY_RECORD}" for a in aliases)
    test = either(s, (list(zip(aliases, parts, strict=True)) for parts in some))
    return exists(f"{source} WHERE {conjoined(*tests, test)}")
