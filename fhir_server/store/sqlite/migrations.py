"""Files of older schemas made fit for this version.

1. Each step is one transaction, the new number in it.
2. Nobody else may have the file open: a hub of an older version would go on writing without what
   the step adds. SQLite's exclusive lock tells.
3. A new file (`schema.prepare`) and one that came here by the steps are the same; a test compares.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fhir_server.store.migration import Step, Tell, ahead, foreign
from fhir_server.store.sqlite import schema
from fhir_server.store.sqlite.lock import FileLock


@dataclass(frozen=True, slots=True)
class Migration:
    """A step: its number, what it does in words, how many rows it is about, and its statements.

    `count` is asked before any step is done, so of tables that schema 1 has.
    """

    number: int
    words: str
    count: str
    statements: tuple[str, ...]


_FHIR = "unicode(r.ref) BETWEEN 65 AND 90"  # types of FHIR are capitalised, internal ones are not

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        2,
        "keeps the versions of FHIR types in the order of time, for their history",
        f"SELECT count(*) FROM version v JOIN record r ON r.rid = v.rid WHERE {_FHIR}",
        (
            """CREATE TABLE past(
  kind INTEGER NOT NULL, updated INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(kind, updated, seq)) WITHOUT ROWID""",
            "INSERT INTO past SELECT r.kind, v.updated, v.seq "
            f"FROM version v JOIN record r ON r.rid = v.rid WHERE {_FHIR}",
        ),
    ),
    Migration(
        3,
        "makes room for full text; the words of what is there come with `fhir-hub reindex`",
        "SELECT 0",
        (
            "CREATE TABLE text("
            "id INTEGER PRIMARY KEY, narrative TEXT NOT NULL, rest TEXT NOT NULL)",
            """CREATE VIRTUAL TABLE word USING fts5(
  narrative, rest, content='', columnsize=0, detail=none, prefix='1 3', tokenize='ascii')""",
        ),
    ),
)


def migrate(path: str, tell: Tell, *, dry: bool) -> None:
    """Tell each step that a file still needs, and do it unless the run is `dry`.

    Raises ValueError, in words for the operator.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        with closing(FileLock(path, schema.WAIT)) as lock, lock, _alone(path) as connection:
            for migration in ahead(MIGRATIONS, _found(connection, path), schema.SCHEMA):
                tell(Step(migration.number, migration.words, _rows(connection, migration)))
                if not dry:
                    _do(connection, migration)
    except OSError as fault:
        raise ValueError(f"{path} cannot be opened: {fault}") from None
    except sqlite3.DatabaseError as fault:
        raise ValueError(f"{path} cannot be migrated now: {fault}; it is as it was") from None


@contextmanager
def _alone(path: str) -> Iterator[sqlite3.Connection]:
    """A connection beside which there is no other, in this process or another."""
    connection = sqlite3.connect(path, timeout=schema.WAIT, isolation_level=None)
    with closing(connection):
        try:
            # The first statement of all: SQLite takes the lock when it first looks at the file.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").close()
            connection.execute("PRAGMA synchronous = FULL").close()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise ValueError(f"{path} is in use: stop all hubs that use it first") from None
        yield connection


def _found(connection: sqlite3.Connection, path: str) -> int:
    found = schema.number(connection, path)
    if not isinstance(found, int) or found > schema.SCHEMA:
        raise foreign(path, found, schema.SCHEMA)
    return found


def _rows(connection: sqlite3.Connection, migration: Migration) -> int:
    return int(connection.execute(migration.count).fetchone()[0])


def _do(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in migration.statements:
        connection.execute(statement)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (migration.number,))
    connection.execute("COMMIT")
