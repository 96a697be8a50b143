"""Comparisons of a column in SQL, with the same outcome as in `search.evaluate`.

SQLite orders all numbers before all text; where a comparison leaves one side open, a bound at `''`
(the lowest text) keeps the kinds apart.
"""

from collections.abc import Iterable, Sequence

from fhir_server.model import Value
from fhir_server.search.tree import Column, Cond
from fhir_server.store.sqlite.statement import NEVER, Statement


def conditions(s: Statement, alias: str, conds: Iterable[Cond]) -> list[str]:
    """Return the comparisons of an entry's columns, `v` first."""
    columns: dict[Column, list[Cond]] = {"v": [], "w": [], "u": []}
    for cond in conds:
        columns[cond.column].append(cond)
    return [
        part
        for name, some in columns.items()
        if some
        for part in _column(s, f"{alias}.{name}", some)
    ]


def compare(s: Statement, column: str, conds: Iterable[Cond]) -> list[str]:
    """Return the comparisons of one column, whatever column the conditions name."""
    return list(_column(s, column, list(conds)))


def _column(s: Statement, column: str, conds: Sequence[Cond]) -> Iterable[str]:
    low = high = False
    texts: set[bool] = set()
    for _, op, value in conds:
        match op:
            case "in":
                assert isinstance(value, tuple)
                yield f"{column} IN {s.one_of(value)}"
            case "prefix":
                yield from _prefix(s, column, str(value))
            case "contains":
                assert isinstance(value, str)
                yield f"(instr({column}, {s.bind(value)}) > 0 AND {column} >= '')"
            case "suffix":
                yield from _suffix(s, column, str(value))
            case _:
                assert not isinstance(value, tuple)
                yield f"{column} {op} {s.bind(value)}"
                low, high = low or ">" in op, high or "<" in op
                if op != "=":
                    texts.add(isinstance(value, str))
    if len(texts) == 2:
        yield NEVER
    elif texts:
        yield from _guard(column, text=texts.pop(), low=low, high=high)


def _guard(column: str, *, text: bool, low: bool, high: bool) -> Iterable[str]:
    if text and not low:
        yield f"{column} >= ''"
    if not text and not high:
        yield f"{column} < ''"


def _prefix(s: Statement, column: str, value: str) -> Iterable[str]:
    yield f"{column} >= {s.bind(value)}"
    last = s.end(value)
    if last is not None:
        yield f"{column} < {last}"


def _suffix(s: Statement, column: str, value: str) -> Iterable[str]:
    text = s.bind(value)
    yield f"{column} >= ''"
    yield f"(substr({column}, -length({text})) = {text} OR {text} = '')"


def seekable(conds: Iterable[Cond]) -> bool:
    """Tell whether an index on `v` narrows these conditions down."""
    return any(c.column == "v" and c.op not in ("contains", "suffix") for c in conds)


def equal(conds: Iterable[Cond]) -> Value | None:
    """Return the one value that `v` must have, if these conditions name it."""
    for column, op, value in conds:
        if column == "v" and op == "=" and isinstance(value, int | float | str):
            return value
    return None
