"""The past: the versions of one record, or of all records of some types, in the order of time.

The table `past` has each version of a FHIR type in that order, so that a page costs what it holds,
however long the past is. Of several types each gives its first few, which are merged.
"""

import sqlite3
from collections.abc import Iterator

from fhir_server.model import History, Key, Version
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.names import UNKNOWN, Names

_PLACE = (
    "SELECT v.updated, v.seq FROM record r CROSS JOIN version v "
    "WHERE r.ref = ? AND v.rid = r.rid AND v.vid = ?"
)
_REPLACED = (
    "NOT EXISTS (SELECT 1 FROM version v CROSS JOIN version n "
    "WHERE v.seq = p.seq AND n.rid = v.rid AND n.vid = v.vid + 1 AND n.updated <= :current)"
)

_Values = dict[str, int | str | None]


def versions(connection: sqlite3.Connection, names: Names, history: History) -> list[Version]:
    """Return versions, on a connection whose transaction holds one moment still."""
    values: _Values = {
        "since": history.since,
        "until": history.until,
        "current": history.current,
        "limit": max(history.limit, 0),
    }
    if history.after is not None:
        key, vid = history.after
        place = connection.execute(_PLACE, (str(key), vid)).fetchone()
        if place is None:
            return []
        values["updated"], values["seq"] = place
    if isinstance(history.scope, Key):
        values["ref"] = str(history.scope)
    sql = _sql(connection, names, history)
    if not sql:
        return []
    found = connection.execute(sql, values)
    return [rows.version(rows.key(ref), row) for ref, *row in found]


def _sql(connection: sqlite3.Connection, names: Names, history: History) -> str:
    """Return the SELECT of the versions, empty where there was never a record of these types."""
    direction = "" if history.ascending else "DESC"
    order = f"ORDER BY 1 {direction}, 2 {direction} LIMIT :limit"
    bounds = " AND ".join(_bounds(history))
    parts = [
        f"SELECT * FROM (SELECT p.updated, p.seq FROM {source} AND {bounds} {order})"
        for source in _sources(connection, names, history)
    ]
    if not parts:
        return ""
    return (
        f"WITH f(updated, seq) AS MATERIALIZED ({' UNION ALL '.join(parts)} {order}) "
        f"SELECT r.ref, {rows.COLUMNS} FROM f CROSS JOIN version v CROSS JOIN record r "
        f"WHERE v.seq = f.seq AND r.rid = v.rid ORDER BY f.updated {direction}, f.seq {direction}"
    )


def _sources(connection: sqlite3.Connection, names: Names, history: History) -> Iterator[str]:
    """Yield the rows of one record, or of each type that has any."""
    if isinstance(history.scope, Key):
        yield "record r CROSS JOIN version p WHERE r.ref = :ref AND p.rid = r.rid"
        return
    for type in sorted(history.scope):
        kind = names.kind(connection, type)
        if kind != UNKNOWN:
            yield f"past p WHERE p.kind = {kind}"


def _bounds(history: History) -> Iterator[str]:
    yield ":limit > 0"
    if history.since is not None:
        yield "p.updated >= :since"
    if history.until is not None:
        yield "p.updated < :until"
    if history.current is not None:
        yield _REPLACED
    if history.after is not None:
        yield f"(p.updated, p.seq) {'>' if history.ascending else '<'} (:updated, :seq)"
