"""Joins in SQL, asked of the row `c`: chains, and what refers here.

`inside` says what the other side has to satisfy, as a condition on one of its rows; without it the
other side is a step.
"""

from collections.abc import Callable

from fhir_server.search.tree import Chain, Has, Match, Node, both
from fhir_server.store.sqlite import canonicals
from fhir_server.store.sqlite.schema import BY_RECORD, BY_VALUE
from fhir_server.store.sqlite.sql import conjoined, exists
from fhir_server.store.sqlite.statement import Statement

Inside = Callable[[str], str]


def chain(s: Statement, type: str, join: Chain, c: str, inside: Inside | None) -> str:
    """Return that the row refers to a record on the other side."""
    if join.canonical:
        return canonicals.chain(s, type, join, c, inside)
    a, t = s.alias(), s.alias()
    mine = f"{a}.rid = {c}.rid AND {a}.param = {s.param(type, join.param)}"
    if inside is None:
        step = targets(s, join.type, join.where)
        return exists(f"entry {a} {BY_RECORD} WHERE {mine} AND {a}.v IN (SELECT ref FROM {step})")
    tests = conjoined(
        mine, f"{t}.ref = {a}.v", f"{t}.kind = {s.kind(join.type)}", f"{t}.deleted = 0", inside(t)
    )
    return exists(f"entry {a} {BY_RECORD} CROSS JOIN record {t} WHERE {tests}")


def has(s: Statement, type: str, join: Has, c: str, inside: Inside | None) -> str:
    """Return that a record on the other side refers to the row."""
    if inside is None:
        return f"{c}.rid IN (SELECT rid FROM {referred(s, type, join)})"
    if join.canonical:
        return canonicals.has(s, type, join, c, inside)
    r, a = s.alias(), s.alias()
    tests = conjoined(
        f"{r}.rid = {c}.rid",
        f"{a}.param = {s.param(join.type, join.param)}",
        f"{a}.v = {r}.ref",
        inside(a),
    )
    return exists(f"record {r} CROSS JOIN entry {a} {BY_VALUE} WHERE {tests}")


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
