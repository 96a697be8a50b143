"""The operator's side: is the file sound, what is in it."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from fhir_server.model import Version
from fhir_server.store.protocol import Stats
from fhir_server.store.sqlite import rows, schema, text

_CHUNK = 500
_SHOWN = 5

T = TypeVar("T")

_CHECKS = {
    "a record's latest version is not its last one": """
        SELECT r.ref FROM record r WHERE r.seq IS NOT (
          SELECT v.seq FROM version v WHERE v.rid = r.rid ORDER BY v.vid DESC LIMIT 1)""",
    "a record disagrees with its latest version": """
        SELECT r.ref FROM record r JOIN version v ON v.seq = r.seq
        WHERE (r.rid, r.vid, r.updated, r.deleted)
          IS NOT (v.rid, v.vid, v.updated, v.body IS NULL)""",
    "the versions of a record have a gap": """
        SELECT r.ref FROM record r JOIN version v ON v.rid = r.rid
        GROUP BY r.rid HAVING count(*) <> max(v.vid) OR min(v.vid) <> 1""",
    "versions of a record are not in the order of the change feed or of time": """
        SELECT r.ref FROM version v JOIN version o ON o.rid = v.rid AND o.vid = v.vid + 1
        JOIN record r ON r.rid = v.rid WHERE o.seq <= v.seq OR o.updated <= v.updated""",
    "a version belongs to no record": """
        SELECT v.seq FROM version v
        WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.rid = v.rid)""",
    "the past does not hold the versions of a FHIR type, or holds others": """
        SELECT r.ref FROM version v JOIN record r ON r.rid = v.rid
        WHERE (unicode(r.ref) BETWEEN 65 AND 90)
          <> EXISTS (SELECT 1 FROM past p
                     WHERE (p.kind, p.updated, p.seq) = (r.kind, v.updated, v.seq))
        UNION SELECT p.seq FROM past p WHERE p.seq NOT IN (SELECT seq FROM version)""",
    "an entry belongs to no living record": """
        SELECT DISTINCT e.rid FROM entry e WHERE NOT EXISTS (
          SELECT 1 FROM record r WHERE r.rid = e.rid AND r.deleted = 0)""",
    "an entry names another patient than its record": """
        SELECT DISTINCT r.ref FROM entry e JOIN record r ON r.rid = e.rid
        WHERE e.patient <> r.patient""",
    "an entry is of a parameter of another type": """
        SELECT DISTINCT r.ref FROM entry e JOIN record r ON r.rid = e.rid
        LEFT JOIN param p ON p.id = e.param
        WHERE p.type IS NOT substr(r.ref, 1, instr(r.ref, '/') - 1)""",
    "a record is of another type than its name says": """
        SELECT r.ref FROM record r LEFT JOIN param p ON p.id = r.kind
        WHERE p.name IS NOT '' OR p.type IS NOT substr(r.ref, 1, instr(r.ref, '/') - 1)""",
    "a record stands under another patient than its version": """
        SELECT r.ref FROM record r JOIN version v ON v.seq = r.seq
        LEFT JOIN patient p ON p.pid = r.patient
        WHERE CASE WHEN v.patients = '' THEN r.patient <> 0
          WHEN instr(v.patients, ' ') THEN r.patient <> -1
          ELSE p.id IS NOT v.patients END""",
    "a record of several patients does not list them": """
        SELECT r.ref FROM record r JOIN version v ON v.seq = r.seq
        WHERE (SELECT count(*) FROM several s JOIN patient p ON p.pid = s.pid
               WHERE s.rid = r.rid AND instr(' ' || v.patients || ' ', ' ' || p.id || ' '))
          <> CASE WHEN r.patient = -1 AND r.deleted = 0
             THEN length(v.patients) - length(replace(v.patients, ' ', '')) + 1 ELSE 0 END
          OR (r.patient <> -1 OR r.deleted)
            AND EXISTS (SELECT 1 FROM several s WHERE s.rid = r.rid)""",
    "words belong to no living record": f"""
        SELECT t.id FROM text t WHERE NOT EXISTS (
          SELECT 1 FROM record r WHERE r.rid = {text.RECORD} AND r.kind = {text.KIND}
            AND r.deleted = 0)""",
}


async def run(path: str, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do long work on a connection of its own, in a transaction, without a deadline."""

    def _run() -> T:
        with closing(schema.connect(path)) as connection:
            connection.execute("BEGIN")
            return work(connection)

    return await asyncio.to_thread(_run)


def check(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the file itself, or else with what its tables say of each other."""
    broken = [text for (text,) in connection.execute("PRAGMA integrity_check")]
    if broken != ["ok"]:
        return [f"the file is damaged: {text}" for text in broken]
    found = [
        f"{words}: {name}"
        for words, sql in _CHECKS.items()
        for (name,) in connection.execute(f"{sql} LIMIT {_SHOWN}")
    ]
    return found + text.check(connection)


def stats(connection: sqlite3.Connection) -> Stats:
    """Return how many living records of each type there are, and the size of file and log."""
    counts = dict(
        connection.execute(
            "SELECT p.type, count(*) FROM record r JOIN param p ON p.id = r.kind "
            "WHERE r.deleted = 0 GROUP BY r.kind ORDER BY p.type"
        ).fetchall()
    )
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    files = (Path(path), Path(f"{path}-wal"))
    return Stats(counts, sum(file.stat().st_size for file in files if file.exists()))


def chunk(
    connection: sqlite3.Connection, type: str | None, after: int
) -> list[tuple[int, Version]]:
    """Return the next living records behind the record number `after`."""
    found = connection.execute(
        f"SELECT r.rid, r.ref, {rows.COLUMNS} FROM record r CROSS JOIN version v "
        "WHERE r.rid > ? AND r.deleted = 0 AND v.seq = r.seq "
        "AND (? IS NULL OR r.kind = (SELECT id FROM param WHERE type = ? AND name = '')) "
        "ORDER BY r.rid LIMIT ?",
        (after, type, type, _CHUNK),
    )
    return [(rid, rows.version(rows.key(ref), row)) for rid, ref, *row in found]
