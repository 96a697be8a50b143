"""How many records a predicate lets through, counted only as far as it matters.

What is *few* can be collected and sorted; of what is *many*, a page is found sooner by walking the
records in order. A database cannot guess which of the two it is, and a short count tells.
"""

from fhir_server.search.near import around
from fhir_server.search.tree import (
    And,
    Chain,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)
from fhir_server.store.sqlite.condition import compare, conditions, seekable
from fhir_server.store.sqlite.schema import BY_VALUE
from fhir_server.store.sqlite.statement import Statement
from fhir_server.store.sqlite.text import candidates

MOST_BRANCHES = 16
_HANDFUL = 16


def is_few(s: Statement, type: str, node: Node) -> bool:
    """Tell whether few records satisfy `node`, as far as one index tells."""
    return estimate(s, type, node) < s.many


def estimate(s: Statement, type: str, node: Node) -> int:
    """Return how many entries lead to the records, `s.many` for many or not known.

    Of a join it is the number on its other side.
    """
    known = s.estimates.get((type, node))
    if known is None:
        known = s.estimates[type, node] = min(_estimate(s, type, node), s.many)
    return known


def _estimate(s: Statement, type: str, node: Node) -> int:
    match node:
        case And(nodes):
            return _least(s, type, nodes)
        case Or(nodes) if len(nodes) <= MOST_BRANCHES:
            return _sum(s, type, nodes)
        case Together(param, parts):
            matches = [Match(f"{param}.{place}", conds) for place, conds in enumerate(parts)]
            return _least(s, type, matches)
        case Ids(ids):
            return len(ids)
        case Chain() | Has():
            return estimate(s, node.type, node.where)
        case _:
            return _count(s, type, node)


def _least(s: Statement, type: str, nodes: "tuple[Node, ...] | list[Match]") -> int:
    least = s.many
    for node in nodes:
        least = min(least, estimate(s, type, node))
        if least < _HANDFUL:
            break
    return least


def _sum(s: Statement, type: str, nodes: tuple[Node, ...]) -> int:
    total = 0
    for node in nodes:
        total += estimate(s, type, node)
        if total >= s.many:
            break
    return total


def _count(s: Statement, type: str, node: Node) -> int:
    p = s.probe()
    match node:
        case Match(param, conds) if seekable(conds):
            tests = conditions(p, "c", [c for c in conds if c.column == "v"])
            where = " AND ".join((f"c.param = {p.param(type, param)}", *tests))
            return _capped(p, f"entry c {BY_VALUE} WHERE {where}")
        case Updated(conds):
            tests = compare(p, "c.updated", conds)
            where = " AND ".join((f"c.kind = {p.kind(type)}", "c.deleted = 0", *tests))
            return _capped(p, f"record c INDEXED BY record_updated WHERE {where}")
        case Near(param):
            return _count(s, type, Match(param, around(node)))
        case Words(_, words) if words:
            return _capped(p, candidates(p, node, type))
        case InPatient(patient):
            return _of_patients(s, type, [patient])
        case OnlyPatients(patients) if 0 < len(patients) <= _HANDFUL:
            return _of_patients(s, type, list(patients))
        case _:
            return s.many


def _of_patients(s: Statement, type: str, patients: list[str]) -> int:
    p, q = s.probe(), s.probe()
    pids = ",".join(map(p.patient, patients))
    where = f"c.kind = {p.kind(type)} AND c.deleted = 0 AND c.patient IN ({pids})"
    single = _capped(p, f"record c INDEXED BY record_kind WHERE {where}")
    pids = ",".join(map(q.patient, patients))
    return single + _capped(q, f"several c WHERE c.pid IN ({pids})")


def _capped(p: Statement, rest: str) -> int:
    found = p.run(f"SELECT count(*) FROM (SELECT 1 FROM {rest} LIMIT {p.many})").fetchone()
    return int(found[0])
