"""How many records a predicate lets through, counted only as far as it matters.

What is *few* can be collected and sorted; of what is *many*, a page is found sooner by walking the
records in order. A database cannot guess which of the two it is, and a short count tells. Counts
are rounded up (`Statement.count`), so that queries of one shape have few plans.
"""

from collections.abc import Iterable, Iterator, Sequence

from fhir_server.search.near import around
from fhir_server.search.simplify import grouped
from fhir_server.search.tree import (
    And,
    Chain,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    OneOf,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)
from fhir_server.store.sqlite.choices import ways
from fhir_server.store.sqlite.condition import compare, conditions, seekable
from fhir_server.store.sqlite.forms import either
from fhir_server.store.sqlite.oneof import counted
from fhir_server.store.sqlite.schema import BY_VALUE
from fhir_server.store.sqlite.shape import is_long
from fhir_server.store.sqlite.statement import Statement
from fhir_server.store.sqlite.text import candidates

MOST_BRANCHES = 16
_HANDFUL = 16


def is_few(s: Statement, type: str, node: Node) -> bool:
    """Tell whether few records satisfy `node`, as far as one index tells."""
    return estimate(s, type, node) < s.many


def least(s: Statement, type: str, nodes: Iterable[Node]) -> Node | None:
    """Return the node that lets the fewest records through, if they are few.

    What costs one look is asked first; joins and alternatives only where all of that are many.
    """
    ranks: tuple[list[Node], list[Node]] = ([], [])
    for node in nodes:
        ranks[isinstance(node, And | Or | Chain | Has)].append(node)
    for some in ranks:
        best = min(some, key=lambda node: estimate(s, type, node), default=None)
        if best is not None and is_few(s, type, best):
            return best
    return None


def estimate(s: Statement, type: str, node: Node) -> int:
    """Return how many entries lead to the records, `s.many` for many or not known.

    Of a join it is the number on its other side.
    """
    known = s.estimates.get((type, node))
    if known is None:
        known = s.estimates[type, node] = min(_estimate(s, type, node), s.many)
    return known


def is_sought(node: Node) -> bool:
    """Tell whether an index on values narrows the node down."""
    return isinstance(node, Match) and seekable(node.all)


def _estimate(  # noqa: PLR0911 one a node
    s: Statement, type: str, node: Node
) -> int:
    match node:
        case And(nodes):
            return _least(s, type, nodes)
        case Or(nodes) if len(nodes) <= MOST_BRANCHES:
            return _sum(s, type, nodes)
        case Or(nodes) if all(map(is_sought, nodes)):
            return _sum_at_once(s, type, nodes)
        case Together(param, parts):
            matches = [Match(f"{param}.{place}", conds) for place, conds in enumerate(parts)]
            return _least(s, type, matches)
        case Ids(ids):
            return _listed(s, ids)
        case OneOf() if ways(node):
            return min(counted(s, type, node, part) for part in ways(node))
        case Chain(_, other, where):
            return estimate(s, other, where)
        case Has(other, param, where):
            return _least(s, other, [Match(param), where])
        case _:
            return _count(s, type, node)


def _least(s: Statement, type: str, nodes: Iterable[Node]) -> int:
    best = s.many
    for node in nodes:
        best = min(best, estimate(s, type, node))
        if best <= _HANDFUL:
            break
    return best


def _sum(s: Statement, type: str, nodes: Iterable[Node]) -> int:
    total = 0
    for node in nodes:
        total += estimate(s, type, node)
        if total >= s.many:
            break
    return total


def _sum_at_once(s: Statement, type: str, nodes: Sequence[Node]) -> int:
    p = s.probe()
    selects = [f"SELECT 1 FROM {source} WHERE {tests}" for source, tests in sought(p, type, nodes)]
    return p.count(f"({' UNION ALL '.join(selects)})")


def sought(s: Statement, type: str, nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """Yield sources, in which `c` is an entry of what alternatives seek, and their conditions."""
    for param, some in grouped(nodes).matches.items():
        mine = f"c.param = {s.param(type, param)}"
        test = either(s, ([("c", conds)] for conds in some))
        yield f"entry c {BY_VALUE}", f"{mine} AND {test}"


def _listed(s: Statement, ids: frozenset[str]) -> int:
    """The shape of a query knows how long a short list is, and a long one is counted."""
    if not is_long(ids):
        return len(ids)
    p = s.probe()
    return p.count(f"{p.one_of(ids)}")


def _sought(p: Statement, type: str, match: Match) -> str:
    tests = conditions(p, "c", [c for c in match.all if c.column == "v"])
    where = " AND ".join((f"c.param = {p.param(type, match.param)}", *tests))
    return f"entry c {BY_VALUE} WHERE {where}"


def _count(s: Statement, type: str, node: Node) -> int:
    p = s.probe()
    match node:
        case Match() if is_sought(node):
            return p.count(_sought(p, type, node))
        case Match(param, ()):
            return p.count(f"entry c {BY_VALUE} WHERE c.param = {p.param(type, param)}")
        case Updated(conds):
            tests = compare(p, "c.updated", conds)
            where = " AND ".join((f"c.kind = {p.kind(type)}", "c.deleted = 0", *tests))
            return p.count(f"record c INDEXED BY record_updated WHERE {where}")
        case Near(param):
            return _count(s, type, Match(param, around(node)))
        case Words(_, words) if words:
            return p.count(candidates(p, node, type))
        case InPatient(patient):
            return _of_patients(s, type, [patient])
        case OnlyPatients(patients) if 0 < len(patients) <= _HANDFUL:
            return _of_patients(s, type, sorted(patients))
        case _:
            return s.many


def _of_patients(s: Statement, type: str, patients: list[str]) -> int:
    p, q = s.probe(), s.probe()
    pids = ",".join(map(p.patient, patients))
    where = f"c.kind = {p.kind(type)} AND c.deleted = 0 AND c.patient IN ({pids})"
    single = p.count(f"record c INDEXED BY record_kind WHERE {where}")
    pids = ",".join(map(q.patient, patients))
    return single + q.count(f"several c WHERE c.pid IN ({pids})")
