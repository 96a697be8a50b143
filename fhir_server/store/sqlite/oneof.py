"""Many alternatives of one kind, in SQL: a function of ours decides, `chosen` (`schema.connect`).

An index leads to where an alternative may hold, to each place once however many alternatives there
are (`choices`). SQLite itself would compare each row with each alternative.
"""

from collections.abc import Iterable

from fhir_server.search.tree import OneOf
from fhir_server.store.sqlite.asked import Asked
from fhir_server.store.sqlite.choices import asked, decides, ways
from fhir_server.store.sqlite.schema import BY_RECORD, BY_VALUE
from fhir_server.store.sqlite.sql import conjoined, exists
from fhir_server.store.sqlite.statement import Statement
from fhir_server.store.sqlite.text import NUMBER, place, within


def holds(s: Statement, node: OneOf, type: str, c: str) -> str:
    """Return that one of the alternatives holds of the row `c`."""
    word, params = node.kind
    if word == "text":
        said, nothing = _chosen(s, node, "narrative", "rest"), _chosen(s, node, "''", "''")
        text = f"SELECT {said} FROM text WHERE id = {place(s, type, c)}"
        return f"coalesce(({text}), {nothing})"
    if word == "updated":
        a = s.alias()
        return exists(f"record {a} WHERE {a}.rid = {c}.rid AND {_chosen(s, node, f'{a}.updated')}")
    names = [s.alias() for _ in params]
    tests: list[str] = []
    for name, param in zip(names, params, strict=True):
        tests += (f"{name}.rid = {c}.rid", f"{name}.param = {s.param(type, param)}")
        tests += [f"{name}.grp = {names[0]}.grp"] if word == "together" else []
    source = " CROSS JOIN ".join(f"entry {name} {BY_RECORD}" for name in names)
    return exists(f"{source} WHERE {conjoined(*tests, chosen(s, node, names))}")


def chosen(s: Statement, node: OneOf, names: Iterable[str]) -> str:
    """Return that entries, the rows of these aliases, satisfy one of the alternatives."""
    columns = "vw" if node.kind[0] == "near" else "vwu"
    return _chosen(s, node, *(f"{name}.{column}" for name in names for column in columns))


def _chosen(s: Statement, node: OneOf, *columns: str) -> str:
    return f"chosen({s.asked.shape.choices.index(node)}, {', '.join(columns)})"


def source(s: Statement, type: str, node: OneOf) -> tuple[str, list[str]]:
    """Return what comes behind FROM to find records, as `c`, and its conditions.

    All that it finds satisfies one of the alternatives, or may, as `decides` tells.
    """
    part = min(ways(node), key=lambda part: counted(s, type, node, part))
    found, tests = _led(s, type, node, part)
    match node.kind[0]:
        case "text":
            return f"{found} CROSS JOIN record c", [*tests, f"c.rid = {NUMBER}"]
        case "updated":
            return found, [*tests, _chosen(s, node, "c.updated")]
        case _:
            return found, [*tests, chosen(s, node, "c")] if decides(node) else tests


def counted(s: Statement, type: str, node: OneOf, part: int) -> int:
    """Return how many rows the index of a part leads to, `s.many` at most."""
    p = s.probe()
    found, tests = _led(p, type, node, part)
    return p.count(f"{found} WHERE {conjoined(*tests)}")


def _led(s: Statement, type: str, node: OneOf, part: int) -> tuple[str, list[str]]:
    listed = f"json_each({_listed(s, node, part)}) j"
    match node.kind:
        case "text", _:
            return f"{listed} CROSS JOIN word f", ["f.word MATCH j.value", within(s, type)]
        case "updated", _:
            tests = [f"c.kind = {s.kind(type)}", "c.deleted = 0", *_between("c.updated")]
            return f"{listed} CROSS JOIN record c INDEXED BY record_updated", tests
        case _, params:
            tests = [f"c.param = {s.param(type, params[part])}", *_between("c.v")]
            return f"{listed} CROSS JOIN entry c {BY_VALUE}", tests


def _between(column: str) -> Iterable[str]:
    """Yield that a column lies in an interval of the list."""
    yield f"{column} >= coalesce(json_extract(j.value, '$[0]'), -9e999)"
    yield f"{column} <= coalesce(json_extract(j.value, '$[1]'), x'')"


def _listed(s: Statement, node: OneOf, part: int) -> str:
    at = s.asked.shape.choices.index(node)

    def given(query: Asked) -> str:
        return asked(query.shape.choices[at], part)

    return s.made((at, part), given)
