"""Full text on SQLite: the words of a record, and the index that leads to them.

https://www.sqlite.org/fts5.html#contentless_tables

1. `text` holds the words of each living record that has any, in order. It decides: a record has a
   phrase if one of its two texts has it.
2. `word` is an index of FTS5 without positions and without a copy of the text. It leads to records
   that have all words of a phrase somewhere, and is told of each text that comes and goes. It also
   knows words by their first one and three characters: other beginnings would cost FTS5 a look at
   all their words before it tells of a single record.
3. Both know a record by its type and number in one, so that each type is a range of its own.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from fhir_server.model import Text
from fhir_server.search.tree import Words
from fhir_server.store.sqlite.insert import insert, select
from fhir_server.store.sqlite.phrase import matched
from fhir_server.store.sqlite.statement import Statement

_KIND = 40  # bits below the type's number
RECORD = f"(t.id & ((1 << {_KIND}) - 1))"
KIND = f"(t.id >> {_KIND})"
"""What the number of a row `t` of `text` is made of."""

NUMBER = f"(f.rowid & ((1 << {_KIND}) - 1))"
"""The record of a row `f` of `word`."""

_OLD = "SELECT id, narrative, rest FROM text WHERE id IN ({})"
_OF_RECORDS = (
    "SELECT r.rid, t.narrative, t.rest FROM record r CROSS JOIN text t "
    f"WHERE r.rid IN ({{}}) AND t.id = (r.kind << {_KIND}) + r.rid"
)
_FORGET = "INSERT INTO word(word, rowid, narrative, rest) VALUES('delete', ?, ?, ?)"


def place(s: Statement, type: str, c: str) -> str:
    """Return the number in `text` of the row `c` of a type."""
    return f"(({s.kind(type)} << {_KIND}) + {c}.rid)"


def columns(node: Words) -> tuple[str, ...]:
    """Return the columns of `text` in which words are sought."""
    return ("narrative",) if node.scope == "text" else ("narrative", "rest")


def said(s: Statement, node: Words, type: str, c: str) -> str:
    """Return the predicate that the row `c` has the words."""
    text = s.bind(node.sought)
    tests = " OR ".join(f"instr({column}, {text}) > 0" for column in columns(node))
    return f"EXISTS (SELECT 1 FROM text WHERE id = {place(s, type, c)} AND ({tests}))"


def within(s: Statement, type: str) -> str:
    """Return that the row `f` of the index is of a type."""
    low = f"({s.kind(type)} << {_KIND})"
    return f"f.rowid > {low} AND f.rowid < {low} + (1 << {_KIND})"


def candidates(s: Statement, node: Words, type: str) -> str:
    """Return what comes behind FROM to find records that have all the words, as `f`."""
    return f"word f WHERE f.word MATCH {s.bind(matched(node))} AND {within(s, type)}"


def source(s: Statement, node: Words, type: str) -> tuple[str, list[str]]:
    """Return what comes behind FROM to find records that have all the words, and its conditions."""
    found, _, tests = candidates(s, node, type).partition(" WHERE ")
    return f"{found} CROSS JOIN record c", [tests, f"c.rid = {NUMBER}"]


def kept(connection: sqlite3.Connection, rids: Sequence[int]) -> dict[int, Text]:
    """Return the words of records, of those that have any."""
    return {rid: Text(*text) for rid, *text in select(connection, _OF_RECORDS, rids)}


def check(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong if the index does not know as many words as the texts have."""
    connection.execute("PRAGMA query_only = 0")  # for a table that is gone with the connection
    connection.execute("CREATE VIRTUAL TABLE temp.known USING fts5vocab(main, word, 'row')")
    connection.execute("PRAGMA query_only = 1")
    known = int(connection.execute("SELECT coalesce(sum(doc), 0) FROM temp.known").fetchone()[0])
    texts = connection.execute("SELECT narrative || rest FROM text")
    had = sum(len(set(text.split())) for (text,) in texts)
    return [] if known == had else [f"the index knows {known} words of records, they have {had}"]


class Texts:
    """The texts that one transaction writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Begin with none."""
        self._connection = connection
        self._wanted: dict[int, Text] = {}
        self._kept: set[int] = set()

    def put(self, kind: int, rid: int, text: Text, *, kept: bool) -> None:
        """Let a record have a text, or none; `kept` says that it may have one already."""
        if kept or any(text):
            id = (kind << _KIND) + rid
            self._wanted[id] = text
            if kept:
                self._kept.add(id)

    def flush(self) -> None:
        """Write what has changed."""
        old: Iterable[tuple[Any, ...]] = select(self._connection, _OLD, sorted(self._kept))
        same = {id for id, *text in old if tuple(text) == self._wanted[id]}
        gone = [row for row in old if row[0] not in same]
        self._connection.executemany("DELETE FROM text WHERE id = ?", [(id,) for id, *_ in gone])
        self._connection.executemany(_FORGET, gone)
        new = [(id, *text) for id, text in self._wanted.items() if any(text) and id not in same]
        _insert(self._connection, new)
        self._wanted, self._kept = {}, set()


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    insert(connection, "text", rows)
    insert(connection, "word(rowid, narrative, rest)", rows)
