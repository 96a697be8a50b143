"""Whose record it is, in SQL: predicates on the patients of the row `c`.

The patient whom a query names is asked about once, all others row by row.
"""

from collections.abc import Callable

from fhir_server.search.tree import ForEachPatient, InPatient, OnlyPatients
from fhir_server.store.explanation import Step, named
from fhir_server.store.order import NOBODY, SEVERAL
from fhir_server.store.sqlite.reach import Reach
from fhir_server.store.sqlite.sql import conjoined, exists
from fhir_server.store.sqlite.statement import Statement

Inside = Callable[[str], str]
"""What the records that permit have to satisfy, as a condition on a row."""


def within(s: Statement, node: InPatient, c: str) -> str:
    """Return that the row is in the patient's compartment, perhaps among others'."""
    pid = s.patient(node.patient)
    several = exists(f"several WHERE rid = {c}.rid AND pid = {pid}")
    return f"({c}.patient = {pid} OR ({c}.patient = {SEVERAL} AND {several}))"


def only(s: Statement, node: OnlyPatients | ForEachPatient, c: str) -> str:
    """Return that all patients of the row are among the permitted, and that there is one."""
    allowed = f"(SELECT pid FROM {permitted(s, node)})"
    all = f"NOT {exists(f'several WHERE rid = {c}.rid AND pid NOT IN {allowed}')}"
    return _cases(c, all, f"{c}.patient IN {allowed}")


def each(s: Statement, node: ForEachPatient, c: str, reach: Reach, inside: Inside) -> str:
    """Return that every patient of the row is permitted, and that there is one."""
    place = s.kept(node)
    if place is not None and reach.hops:
        s.tell(Step("set", node.type, named(node)))
        return _cases(c, _all(s, place, c), f"permits({place}, {c}.patient)")
    if reach.collects(s, node):
        return only(s, node, c)
    a = s.alias()
    rows = f"several {a} WHERE {a}.rid = {c}.rid"
    about = _about(s, node, f"{a}.pid", inside)
    cases = "".join(f" WHEN {pid} THEN {_about(s, node, pid, inside)}" for pid in s.named())
    all = f"NOT {exists(f'{rows} AND NOT {about}')}"
    return _cases(c, all, _about(s, node, f"{c}.patient", inside), cases)


def of_several(s: Statement, place: int, c: str) -> str:
    """Return that all patients of the row are in a set, if it is about several."""
    return f"({c}.patient <> {SEVERAL} OR {_all(s, place, c)})"


def _all(s: Statement, place: int, c: str) -> str:
    a = s.alias()
    return f"NOT {exists(f'several {a} WHERE {a}.rid = {c}.rid AND NOT permits({place}, {a}.pid)')}"


def _cases(c: str, all: str, one: str, known: str = "") -> str:
    """Return what holds of a row about nobody, several, `known` patients, or one."""
    return f"CASE {c}.patient WHEN {NOBODY} THEN 0 WHEN {SEVERAL} THEN {all}{known} ELSE {one} END"


def _about(s: Statement, node: ForEachPatient, pid: str, inside: Inside) -> str:
    """Some record of the node's type about the patient `pid` satisfies its predicate."""
    r, m, q = s.alias(), s.alias(), s.alias()
    kind = s.kind(node.type)
    single = conjoined(f"{r}.kind = {kind}", f"{r}.deleted = 0", f"{r}.patient = {pid}", inside(r))
    shared = conjoined(
        f"{m}.pid = {pid}", f"{q}.rid = {m}.rid", f"{q}.kind = {kind}", f"{q}.deleted = 0",
        inside(q),
    )  # fmt: skip
    return (
        f"({exists(f'record {r} INDEXED BY record_kind WHERE {single}')} OR "
        f"{exists(f'several {m} CROSS JOIN record {q} WHERE {shared}')})"
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


def among(s: Statement, node: ForEachPatient, inside: Inside) -> str:
    """Return a SELECT of those of the patients asked about whom the node permits."""
    return (
        f"SELECT j.value FROM json_each({s.among()}) j WHERE {_about(s, node, 'j.value', inside)}"
    )
