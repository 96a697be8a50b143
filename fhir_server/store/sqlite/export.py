"""Versions with what they are found by, in the order of the change feed.

A version never changes and the feed only grows. So each piece is read at a moment of its own, and
no long transaction keeps the log from being emptied: a version that is a record's latest when the
feed ends was its latest before, and came with its entries; those of one that was replaced meanwhile
are made good by the later one.
"""

import sqlite3
from collections import defaultdict
from typing import Any

from fhir_server.model import NO_TEXT, Entry, Line
from fhir_server.store.sqlite import rows, text
from fhir_server.store.sqlite.insert import select

_MOST = 500
_BYTES = 8 * 1024 * 1024

_LINES = (
    f"SELECT v.seq, r.rid, r.ref, r.seq = v.seq, {rows.COLUMNS} "
    "FROM version v CROSS JOIN record r WHERE v.seq > ? AND r.rid = v.rid ORDER BY v.seq LIMIT ?"
)
_ENTRIES = (
    "SELECT e.rid, p.name, e.v, e.w, e.u, e.grp, e.path FROM entry e CROSS JOIN param p "
    "WHERE e.rid IN ({}) AND p.id = e.param ORDER BY e.rid, e.n"
)


def lines(connection: sqlite3.Connection, after: int) -> list[Line]:
    """Return the next lines, some hundreds or some megabytes; none are left if none are returned.

    The connection is in a transaction.
    """
    found: list[tuple[Any, ...]] = []
    size = 0
    for row in connection.execute(_LINES, (after, _MOST)):
        found.append(row)
        size += len(row[6] or b"")
        if size > _BYTES:
            break
    rids = [rid for _, rid, _, latest, *_ in found if latest]
    entries, texts = _entries(connection, rids), text.kept(connection, rids)
    return [
        Line(seq, rows.version(rows.key(ref), row), tuple(entries[rid]), texts.get(rid, NO_TEXT))
        if latest
        else Line(seq, rows.version(rows.key(ref), row))
        for seq, rid, ref, latest, *row in found
    ]


def _entries(connection: sqlite3.Connection, rids: list[int]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    for rid, name, v, w, u, group, path in select(connection, _ENTRIES, rids):
        found[rid].append(Entry(name.removeprefix("#") if path else name, v, w, u, group, path))
    return found
