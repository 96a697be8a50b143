"""A predicate of the search tree as a boolean expression in SQL, on one row's `rid` and `patient`.

The other side of a join is a step (a set, made once) where it is few or all of it is needed, and is
looked up row by row where it is many.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
    both,
)
from fhir_server.store.explanation import Step, named
from fhir_server.store.order import NOBODY, SEVERAL
from fhir_server.store.sqlite import canonicals
from fhir_server.store.sqlite.condition import compare, conditions, equal
from fhir_server.store.sqlite.contained import contains
from fhir_server.store.sqlite.estimate import is_few
from fhir_server.store.sqlite.forms import forms
from fhir_server.store.sqlite.measure import reached
from fhir_server.store.sqlite.openings import opened, openings
from fhir_server.store.sqlite.schema import BY_RECORD, BY_VALUE
from fhir_server.store.sqlite.statement import NEVER, Statement, joined
from fhir_server.store.sqlite.text import said


class Reach(NamedTuple):
    """How joins may be followed: through how many `hops` row by row (0: none, all rows will be
    asked, so that sets pay; never many, since SQLite's parser bounds the nesting), and whether
    `sets` are made where the other side is few."""

    hops: int = 3
    sets: bool = True

    def behind(self) -> "Reach":
        """Return what is left behind one hop."""
        return self._replace(hops=self.hops - 1)

    def collects(self, s: Statement, join: Chain | Has | ForEachPatient) -> bool:
        """Tell whether the other side of a join becomes a set."""
        sets = not self.hops or (self.sets and is_few(s, join.type, join.where))
        s.tell(Step("set" if sets else "asks", join.type, named(join)))
        return sets


USUAL = Reach()
FOR_ALL = Reach(hops=0)
FOR_FEW = Reach(sets=False)


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

    `reach` is how joins may be followed.
    """
    match node:
        case And(nodes):
            return joined(
                "AND", (holds(s, n, type, c, reach) for n in cheapest_first(s, nodes)), "1"
            )
        case Or(nodes):
            return joined("OR", _choices(s, grouped(nodes), type, c, reach), NEVER)
        case Not(inner):
            return f"NOT {holds(s, inner, type, c, reach)}"
        case Match(param, conds):
            return _exists(_entry(s, type, param, conds, c))
        case Together(param, parts):
            return joined("OR", _together(s, type, param, [parts], c), NEVER)
        case Ids(ids):
            refs = s.one_of(ids, f"{type}/")
            return f"{c}.rid IN (SELECT rid FROM record WHERE ref IN {refs})"
        case Updated(conds):
            a = s.alias()
            tests = compare(s, f"{a}.updated", conds)
            return _exists(f"record {a} WHERE {_and(f'{a}.rid = {c}.rid', *tests)}")
        case Words():
            return said(s, node, type, c)
        case Near(param):
            a = s.alias()
            mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
            return _exists(f"entry {a} {BY_RECORD} WHERE {_and(*mine, *reached(s, node, a))}")
        case _:
            return _joins(s, node, type, c, reach)


def _choices(s: Statement, asks: Asks, type: str, c: str, reach: Reach) -> Iterable[str]:
    kept = [node for node in asks.rest if s.kept(node) is not None]
    yield from (holds(s, node, type, c, reach) for node in kept)
    for param, some in asks.matches.items():
        yield from _one_of(s, type, param, some, c)
    for (param, _), parts in asks.composites.items():
        yield from _together(s, type, param, parts, c)
    groups, rest = openings([node for node in asks.rest if node not in kept])
    for group in groups:
        yield opened(s, group, type, c, lambda node, of, row: holds(s, node, of, row, reach))
    for node in cheapest_first(s, rest):
        yield holds(s, node, type, c, reach)


def _joins(s: Statement, node: Node, type: str, c: str, reach: Reach) -> str:
    match node:
        case Chain():
            return _chain(s, type, node, c, reach)
        case Has():
            return _has(s, type, node, c, reach)
        case Contained():
            return contains(s, node, type, c)
        case InPatient(patient):
            pid = s.patient(patient)
            several = _exists(f"several WHERE rid = {c}.rid AND pid = {pid}")
            return f"({c}.patient = {pid} OR ({c}.patient = {SEVERAL} AND {several}))"
        case OnlyPatients() | ForEachPatient():
            return _each(s, node, c, reach)
        case _:
            raise TypeError(f"{node!r} is not a search node")


def _exists(rest: str) -> str:
    return f"EXISTS (SELECT 1 FROM {rest})"


def _and(*parts: str) -> str:
    return " AND ".join(parts)


def _entry(s: Statement, type: str, param: str, conds: Iterable[Cond], c: str) -> str:
    a = s.alias()
    tests = conditions(s, a, conds)
    mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
    return f"entry {a} {BY_RECORD} WHERE {_and(*mine, *tests)}"


def _one_of(
    s: Statement, type: str, param: str, some: Iterable[Sequence[Cond]], c: str
) -> Iterable[str]:
    """An entry of `param` satisfies some of the conditions: it is sought once for all of a form."""
    a = s.alias()
    mine = (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, param)}")
    for table, test in forms(s, [[(a, conds)] for conds in some]):
        yield _exists(f"{_joined_to(f'entry {a} {BY_RECORD}', table)} WHERE {_and(*mine, test)}")


def _joined_to(source: str, table: str) -> str:
    return f"{source} CROSS JOIN {table}" if table else source


def _together(
    s: Statement, type: str, param: str, some: Sequence[Sequence[Sequence[Cond]]], c: str
) -> Iterable[str]:
    """Entries of one group satisfy some of the choices, each with its conditions for each part."""
    aliases = [s.alias() for _ in some[0]]
    tests: list[str] = []
    for place, a in enumerate(aliases):
        tests += (f"{a}.rid = {c}.rid", f"{a}.param = {s.param(type, f'{param}.{place}')}")
        tests += [f"{a}.grp = {aliases[0]}.grp"] if place else []
    source = " CROSS JOIN ".join(f"entry {a} {BY_RECORD}" for a in aliases)
    choices = [list(zip(aliases, parts, strict=True)) for parts in some]
    for table, test in forms(s, choices) if aliases else ():
        yield _exists(f"{_joined_to(source, table)} WHERE {_and(*tests, test)}")


def _chain(s: Statement, type: str, join: Chain, c: str, reach: Reach) -> str:
    param, other, where = join.param, join.type, join.where
    collects = reach.collects(s, join)
    if join.canonical:
        inside = None if collects else lambda row: holds(s, where, other, row, reach.behind())
        return canonicals.chain(s, type, join, c, inside)
    if collects:
        a = s.alias()
        step = targets(s, other, where)
        tests = f"{a}.rid = {c}.rid AND {a}.param = {s.param(type, param)}"
        return _exists(f"entry {a} {BY_RECORD} WHERE {tests} AND {a}.v IN (SELECT ref FROM {step})")
    a, t = s.alias(), s.alias()
    tests = _and(
        f"{a}.rid = {c}.rid",
        f"{a}.param = {s.param(type, param)}",
        f"{t}.ref = {a}.v",
        f"{t}.kind = {s.kind(other)}",
        f"{t}.deleted = 0",
        holds(s, where, other, t, reach.behind()),
    )
    return _exists(f"entry {a} {BY_RECORD} CROSS JOIN record {t} WHERE {tests}")


def _has(s: Statement, type: str, join: Has, c: str, reach: Reach) -> str:
    param, other, where = join.param, join.type, join.where
    if reach.collects(s, join):
        return f"{c}.rid IN (SELECT rid FROM {referred(s, type, join)})"
    if join.canonical:
        return canonicals.has(
            s, type, join, c, lambda row: holds(s, where, other, row, reach.behind())
        )
    r, a = s.alias(), s.alias()
    tests = _and(
        f"{r}.rid = {c}.rid",
        f"{a}.param = {s.param(other, param)}",
        f"{a}.v = {r}.ref",
        holds(s, where, other, a, reach.behind()),
    )
    return _exists(f"record {r} CROSS JOIN entry {a} {BY_VALUE} WHERE {tests}")


def targets(s: Statement, type: str, where: Node) -> str:
    """Return the step `ref`: the references of the records of a type that satisfy `where`."""

    def make() -> str:
        found = s.find(s, type, where)
        return f"SELECT ref FROM ({found}) f CROSS JOIN record r WHERE r.rid = f.rid"

    return s.step(("targets", type, where), make)


def referred(s: Statement, type: str, join: Has) -> str:
    """Return the step `rid`: the records of a type that those of another type refer to."""

    def make() -> str:
        # Few records may refer to any at all by this parameter, as grants to single records.
        found = s.find(s, join.type, both(Match(join.param), join.where))
        if join.canonical:
            source = f"entry r {BY_VALUE}"
            version = canonicals.is_version(s, type, "r.rid", "a.w")
            pointed = f"r.param = {s.param(type, 'url')} AND r.v = a.v AND {version}"
        else:
            source = "record r"
            pointed = f"r.ref = a.v AND r.kind = {s.kind(type)} AND r.deleted = 0"
        return (
            f"SELECT DISTINCT r.rid AS rid FROM ({found}) f "
            f"CROSS JOIN entry a {BY_RECORD} CROSS JOIN {source} "
            f"WHERE a.rid = f.rid AND a.param = {s.param(join.type, join.param)} AND {pointed}"
        )

    return s.step(("referred", type, join), make)


def _each(s: Statement, node: OnlyPatients | ForEachPatient, c: str, reach: Reach) -> str:
    """Every patient of the row is permitted, and there is one.

    The patient whom a query names is asked about once, all others row by row.
    """
    a, place = s.alias(), s.kept(node)
    if place is not None and isinstance(node, ForEachPatient) and reach.hops:
        s.tell(Step("set", node.type, named(node)))
        one, cases = f"permits({place}, {c}.patient)", ""
        rows = f"several {a} WHERE {a}.rid = {c}.rid"
        all = f"NOT {_exists(f'{rows} AND NOT permits({place}, {a}.pid)')}"
    elif isinstance(node, ForEachPatient) and not reach.collects(s, node):
        one = _about(s, node, f"{c}.patient")
        cases = "".join(f" WHEN {pid} THEN {_about(s, node, pid)}" for pid in s.named())
        rows = f"several {a} WHERE {a}.rid = {c}.rid"
        each = _about(s, node, f"{a}.pid")
        all = f"NOT {_exists(f'{rows} AND NOT {each}')}"
    else:
        allowed = f"(SELECT pid FROM {permitted(s, node)})"
        one, cases = f"{c}.patient IN {allowed}", ""
        all = f"NOT {_exists(f'several WHERE rid = {c}.rid AND pid NOT IN {allowed}')}"
    return f"CASE {c}.patient WHEN {NOBODY} THEN 0 WHEN {SEVERAL} THEN {all}{cases} ELSE {one} END"


def _about(s: Statement, node: ForEachPatient, pid: str) -> str:
    """Some record of the node's type about the patient `pid` satisfies its predicate."""
    r, m, q = s.alias(), s.alias(), s.alias()
    kind = s.kind(node.type)
    single = _and(
        f"{r}.kind = {kind}", f"{r}.deleted = 0", f"{r}.patient = {pid}",
        holds(s, node.where, node.type, r, FOR_ALL),
    )  # fmt: skip
    shared = _and(
        f"{m}.pid = {pid}", f"{q}.rid = {m}.rid", f"{q}.kind = {kind}", f"{q}.deleted = 0",
        holds(s, node.where, node.type, q, FOR_ALL),
    )  # fmt: skip
    return (
        f"({_exists(f'record {r} INDEXED BY record_kind WHERE {single}')} OR "
        f"{_exists(f'several {m} CROSS JOIN record {q} WHERE {shared}')})"
    )


def permitted(s: Statement, node: OnlyPatients | ForEachPatient) -> str:
    """Return the step `pid`: the patients that the node permits."""

    def make() -> str:
        if isinstance(node, OnlyPatients):
            return f"SELECT pid FROM patient WHERE id IN {s.one_of(node.patients)}"
        place = s.kept(node)
        if place is not None:
            return f"SELECT value AS pid FROM json_each({s.listed(place)})"
        found = s.step(
            ("records", node.type, node.where),
            lambda: s.find(s, node.type, node.where),
        )
        return (
            f"SELECT patient AS pid FROM {found} WHERE patient > {NOBODY} UNION "
            f"SELECT m.pid FROM {found} f CROSS JOIN several m "
            f"WHERE f.patient = {SEVERAL} AND m.rid = f.rid"
        )

    return s.step(("permitted", node), make)


def among(s: Statement, node: ForEachPatient) -> str:
    """Return a SELECT of those of the patients asked about whom the node permits."""
    return f"SELECT j.value FROM json_each({s.among()}) j WHERE {_about(s, node, 'j.value')}"
