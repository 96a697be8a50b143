"""Joins by canonical URL: by a record's `url`, and its `version` where the other side names one.

A join is asked of the row `c`. `inside` says what its other side has to satisfy, as a condition on
the row that is named; without it, the other side is a step.
"""

from collections.abc import Callable

from fhir_server.search.tree import Chain, Has, Node
from fhir_server.store.sqlite.schema import BY_RECORD, BY_VALUE
from fhir_server.store.sqlite.sql import exists
from fhir_server.store.sqlite.statement import Statement

Inside = Callable[[str], str]


def chain(s: Statement, type: str, join: Chain, c: str, inside: Inside | None) -> str:
    """Return that a canonical of the row is the name of a record on the other side."""
    a, u = s.alias(), s.alias()
    mine = f"{a}.rid = {c}.rid AND {a}.param = {s.param(type, join.param)}"
    if inside is None:
        step = names(s, join.type, join.where)
        return exists(
            f"entry {a} {BY_RECORD} WHERE {mine} AND ({a}.v, {a}.w) IN (SELECT v, w FROM {step})"
        )
    named = f"{u}.param = {s.param(join.type, 'url')} AND {u}.v = {a}.v"
    version = is_version(s, join.type, f"{u}.rid", f"{a}.w")
    return exists(
        f"entry {a} {BY_RECORD} CROSS JOIN entry {u} {BY_VALUE} "
        f"WHERE {mine} AND {named} AND {version} AND {inside(u)}"
    )


def has(s: Statement, type: str, join: Has, c: str, inside: Inside) -> str:
    """Return that the row's name is a canonical of a record on the other side."""
    u, a = s.alias(), s.alias()
    mine = f"{u}.rid = {c}.rid AND {u}.param = {s.param(type, 'url')}"
    naming = f"{a}.param = {s.param(join.type, join.param)} AND {a}.v = {u}.v"
    version = is_version(s, type, f"{c}.rid", f"{a}.w")
    return exists(
        f"entry {u} {BY_RECORD} CROSS JOIN entry {a} {BY_VALUE} "
        f"WHERE {mine} AND {naming} AND {version} AND {inside(a)}"
    )


def is_version(s: Statement, type: str, rid: str, version: str) -> str:
    """Return that a record has this version, or that none is named."""
    a = s.alias()
    mine = f"{a}.rid = {rid} AND {a}.param = {s.param(type, 'version')}"
    has_it = exists(f"entry {a} {BY_RECORD} WHERE {mine} AND {a}.v = {version}")
    return f"({version} = '' OR {has_it})"


def names(s: Statement, type: str, where: Node) -> str:
    """Return the step `v`, `w`: what the records of a type that satisfy `where` are named.

    `w` is their version, and `''` too: a canonical need not name one.
    """

    def make() -> str:
        found = s.step(("records", type, where), lambda: s.find(s, type, where))
        mine = f"u.rid = f.rid AND u.param = {s.param(type, 'url')}"
        both = f"{mine} AND x.rid = f.rid AND x.param = {s.param(type, 'version')}"
        return (
            f"SELECT u.v AS v, '' AS w FROM {found} f CROSS JOIN entry u {BY_RECORD} WHERE {mine} "
            f"UNION SELECT u.v, x.v FROM {found} f CROSS JOIN entry u {BY_RECORD} "
            f"CROSS JOIN entry x {BY_RECORD} WHERE {both}"
        )

    return s.step(("names", type, where), make)
