"""The records that satisfy a predicate, as a SELECT of (patient, rid).

1. One node *drives*: an index leads to its records. Everything else is asked row by row.
2. What is few (see `estimate`) drives first. Among what is many, an equality drives, since its
   index is in the default order; a range never does. Otherwise all records of the type are walked.
3. Patients narrow an ordered walk: the index is sought for each of them in turn.
4. Alternatives of which each has a driver are split: SQLite merges a UNION of ordered SELECTs as
   it goes.
"""

from collections.abc import Sequence
from dataclasses import replace

from fhir_server.search.tree import (
    Chain,
    ForEachPatient,
    Has,
    Ids,
    Match,
    Near,
    Node,
    OneOf,
    Or,
    Together,
    Updated,
    Words,
)
from fhir_server.store.explanation import Step, named
from fhir_server.store.sqlite import oneof
from fhir_server.store.sqlite.branches import PATIENTS, flat, leads, split
from fhir_server.store.sqlite.canonicals import names
from fhir_server.store.sqlite.choices import decides
from fhir_server.store.sqlite.condition import compare, conditions, equal
from fhir_server.store.sqlite.estimate import (
    MOST_BRANCHES,
    estimate,
    is_few,
    least,
    sought,
)
from fhir_server.store.sqlite.joins import referred, targets
from fhir_server.store.sqlite.measure import reached
from fhir_server.store.sqlite.part import Part, of_patients, of_slice, sliced
from fhir_server.store.sqlite.phrase import is_certain
from fhir_server.store.sqlite.predicate import cheapest_first, holds
from fhir_server.store.sqlite.reach import FOR_ALL, FOR_FEW, USUAL, Reach
from fhir_server.store.sqlite.schema import BY_VALUE
from fhir_server.store.sqlite.statement import NEVER, Statement, joined
from fhir_server.store.sqlite.text import source

_FURTHER = 20
"""So many times further is counted to choose between two equalities."""


def find(s: Statement, type: str, where: Node) -> str:
    """Return a SELECT of all (patient, rid) of the living records that satisfy `where`."""
    return _union(s, type, where, Part())


def walk(
    s: Statement,
    type: str,
    where: Node,
    behind: bool = False,
    down: bool = False,
) -> str:
    """Return a SELECT of (patient, rid) from which the first few are taken.

    With `behind`, only what comes after the query's place in default order, or before it when
    going `down`. Where a branch is led by many patients whom a grant permits, all of it asks about
    a slice of patients (`Statement.sliced`).
    """
    place = (s.after(-2), s.after(-1)) if behind else None
    return _union(s, type, where, Part(False, place, down))


def some(s: Statement, type: str, where: Node, most: int) -> str:
    """Return a SELECT of (patient, rid) of `most` records at most, whichever are met first."""
    # SQLite stops a UNION early only where it merges its parts in an order.
    branches = _branches(s, type, where, Part(False))
    order = " ORDER BY 1, 2" if len(branches) > 1 else ""
    return f"{' UNION '.join(branches)}{order} LIMIT {most}"


def _union(s: Statement, type: str, where: Node, part: Part) -> str:
    return " UNION ".join(_branches(s, type, where, part))


def _branches(s: Statement, type: str, where: Node, part: Part) -> list[str]:
    alternatives = split(s, type, where, part.every)
    branches = [(nodes, _driver(s, type, nodes, part.every)) for nodes in alternatives]
    if any(_sliced(s, nodes, driver, part) for nodes, driver in branches):
        part = replace(part, bounds=s.bounds())
    return [_branch(s, type, *branch, part) for branch in branches]


def _branch(s: Statement, type: str, nodes: Sequence[Node], driver: Node | None, part: Part) -> str:
    s.tell(_told(s, type, driver))
    source, tests = _source(s, type, driver)
    patients: list[str] = []
    met = [driver] if _is_met(driver) else []
    slice = _sliced(s, nodes, driver, part)
    if slice is not None:
        patients = of_slice(s, slice, led=driver is not None)
        met.append(slice)
    elif _is_in_order(driver):
        patients = of_patients(s, nodes, part)
    tests += patients + part.behind(seek=not patients)
    reach = _reach(s, type, driver, part.every)
    rest = (node for node in cheapest_first(s, nodes) if not any(node is each for each in met))
    tests += [holds(s, node, type, "c", reach) for node in rest]
    columns = "DISTINCT c.patient AS patient, c.rid AS rid"
    return f"SELECT {columns} FROM {source} WHERE {joined('AND', tests, '1')}"


def _sliced(
    s: Statement, nodes: Sequence[Node], driver: Node | None, part: Part
) -> ForEachPatient | None:
    """Return the node whose patients lead to a branch's records, slice by slice."""
    return None if part.every or not _is_in_order(driver) else sliced(s, nodes)


def _told(s: Statement, type: str, driver: Node | None) -> Step:
    if driver is None:
        return Step("walks", type)
    rows = estimate(s, type, driver)
    return Step("leads", type, named(driver), rows if rows < s.many else None)


def _is_in_order(driver: Node | None) -> bool:
    """Tell whether what drives leads to records in the default order."""
    return driver is None or _keeps_order(driver)


def _keeps_order(node: Node) -> bool:
    """Tell whether an index leads to the node's records in the default order."""
    match node:
        case Match(_, conds):
            return equal(conds) is not None
        case Together(_, parts):
            return any(equal(conds) is not None for conds in parts)
        case _:
            return False


def _reach(s: Statement, type: str, driver: Node | None, every: bool) -> Reach:
    """Return how joins are followed from the rows that are led to."""
    if driver is None or not is_few(s, type, driver):
        return FOR_ALL if every else USUAL
    # A page that takes too long this way is found in another one; a count has no other.
    return USUAL if every else FOR_FEW


def _driver(s: Statement, type: str, nodes: Sequence[Node], every: bool) -> Node | None:
    """Return the node that drives; None: the type does."""
    best = least(s, type, nodes)
    if best is None and every:
        best = least(s.deeper(), type, [n for n in nodes if not isinstance(n, Chain | Has)])
    if best is not None:
        return best
    ordered = [n for n in nodes if _keeps_order(n)]
    if len(ordered) > 1:
        return min(ordered, key=lambda node: estimate(s.deeper(_FURTHER), type, node))
    found = ordered[0] if ordered else None
    if found is None and every and not any(isinstance(n, PATIENTS) for n in nodes):
        return next((n for n in nodes if leads(n)), None)
    return found


def _is_met(driver: Node | None) -> bool:
    """Tell whether all that the driver leads to satisfies it."""
    if isinstance(driver, Words):
        return is_certain(driver)
    if isinstance(driver, OneOf):
        return decides(driver)
    return isinstance(driver, Match | Ids | Updated | Chain | Has | Or | Near)


def _source(  # noqa: C901, PLR0911 one a node
    s: Statement, type: str, driver: Node | None
) -> tuple[str, list[str]]:
    """Return what comes behind FROM, the driving row being `c`, and its conditions."""
    match driver:
        case Match(param, conds):
            tests = [f"c.param = {s.param(type, param)}", *conditions(s, "c", conds)]
            return f"entry c {BY_VALUE}", tests
        case Together(param, parts):
            matches = [Match(f"{param}.{place}", conds) for place, conds in enumerate(parts)]
            best = min(matches, key=lambda m: (estimate(s, type, m), equal(m.all) is None))
            return _source(s, type, best)
        case Ids(ids):
            refs = s.one_of(ids, f"{type}/")
            return "record c", [f"c.ref IN {refs}", "c.deleted = 0"]
        case Chain(param, other, where, canonical):
            step = names(s, other, where) if canonical else targets(s, other, where)
            tests = [f"c.param = {s.param(type, param)}"]
            tests += [f"c.v = {step}.v", f"c.w = {step}.w"] if canonical else [f"c.v = {step}.ref"]
            return f"{step} CROSS JOIN entry c {BY_VALUE}", tests
        case Has():
            step = referred(s, type, driver)
            return f"{step} CROSS JOIN record c", [f"c.rid = {step}.rid"]
        case Or(nodes):
            return f"{_any(s, type, nodes)} c", ["1"]
        case Updated(conds):
            tests = [f"c.kind = {s.kind(type)}", "c.deleted = 0"]
            tests += compare(s, "c.updated", conds)
            return "record c INDEXED BY record_updated", tests
        case Words():
            return source(s, driver, type)
        case OneOf():
            return oneof.source(s, type, driver)
        case Near(param):
            tests = [f"c.param = {s.param(type, param)}", *reached(s, driver, "c")]
            return f"entry c {BY_VALUE}", tests
        case _:
            tests = [f"c.kind = {s.kind(type)}", "c.deleted = 0"]
            tests += [] if driver is None else of_patients(s, [driver], Part())
            return "record c INDEXED BY record_kind", tests


def _any(s: Statement, type: str, nodes: Sequence[Node]) -> str:
    """Return the step of the records that satisfy one of `nodes`."""

    def make() -> str:
        if not nodes:
            return f"SELECT 0 AS patient, 0 AS rid WHERE {NEVER}"
        if len(nodes) > MOST_BRANCHES:
            columns = "c.patient AS patient, c.rid AS rid"
            found = (f"SELECT {columns} FROM {a} WHERE {b}" for a, b in sought(s, type, nodes))
        else:
            alone = (list(flat(node)) for node in nodes)
            found = (_branch(s, type, n, _driver(s, type, n, True), Part()) for n in alone)
        return " UNION ".join(found)

    return s.step(("any", type, nodes), make)
