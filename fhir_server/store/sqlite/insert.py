"""Many rows in few statements.

Every step of a statement gives the interpreter's lock away and has to win it back from a busy event
loop; so rows go in by the dozens, in statements of a few fixed sizes that stay prepared.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

_SIZES = (64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)


def insert(
    connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]], then: str = ""
) -> None:
    """Insert rows of equal width; `then` is what follows the values (`ON CONFLICT …`)."""
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            connection.execute(_sql(table, len(rows[start]), size, then), values)
            start += size


def select(
    connection: sqlite3.Connection, sql: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of `sql`, whose `{}` becomes placeholders of the values, some at a time."""
    found: list[tuple[Any, ...]] = []
    start = 0
    while start < len(values):
        some = values[start : start + _SIZES[0]]
        size = next(s for s in reversed(_SIZES) if s >= len(some))
        padded = (*some, *(None,) * (size - len(some)))
        found += connection.execute(_in(sql, size), padded).fetchall()
        start += len(some)
    return found


@cache
def _sql(table: str, width: int, size: int, then: str) -> str:
    row = "(" + ",".join("?" * width) + ")"
    return f"INSERT INTO {table} VALUES{','.join([row] * size)} {then}"


@cache
def _in(sql: str, size: int) -> str:
    return sql.format(",".join("?" * size))
