"""The tables of the store's file, and how a connection to it is opened.

| table | a row for each | indexes besides the primary key |
|---|---|---|
| `version` | version, appended; `seq` is the change feed | (rid, vid) |
| `past` | version of a FHIR type, in the order of time | |
| `record` | key: its latest version | ref; living: (kind, patient, rid), (kind, updated, …) |
| `entry` | index entry of a living record | (param, v, patient, rid, w) |
| `patient` | patient, as a small number | id |
| `param` | parameter of a type; `''`: the type itself, `#x`: `x` of contained resources | name |
| `several` | patient of a record that is about more than one | (pid, rid) |
| `text` | living record that has words: those of its narrative, all others | `word` (FTS5) |

`patient` in `record` and `entry` is the patient's number, 0 for nobody, -1 for several.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from fhir_server.search.position import distance
from fhir_server.store.filling import occupied, unfinished
from fhir_server.store.migration import foreign
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.lock import FileLock

SCHEMA = 3
"""Raised together with a new entry in `migrations.MIGRATIONS`."""
WAIT = 5.0
"""Seconds for which another's lock on the file is waited for."""

_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE version(
  seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, vid INTEGER NOT NULL, updated INTEGER NOT NULL,
  method TEXT NOT NULL, patients TEXT NOT NULL, auth BLOB NOT NULL, body BLOB);
CREATE UNIQUE INDEX version_of ON version(rid, vid);
CREATE TABLE past(
  kind INTEGER NOT NULL, updated INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(kind, updated, seq)) WITHOUT ROWID;
CREATE TABLE record(
  rid INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, seq INTEGER NOT NULL,
  vid INTEGER NOT NULL, updated INTEGER NOT NULL, patient INTEGER NOT NULL,
  deleted INTEGER NOT NULL);
CREATE INDEX record_kind ON record(kind, patient, rid) WHERE deleted = 0;
CREATE INDEX record_updated ON record(kind, updated, patient, rid) WHERE deleted = 0;
CREATE TABLE entry(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, n INTEGER NOT NULL, v NOT NULL, w NOT NULL,
  u NOT NULL, grp INTEGER NOT NULL, path TEXT NOT NULL, patient INTEGER NOT NULL,
  PRIMARY KEY(rid, param, n)) WITHOUT ROWID;
CREATE INDEX entry_value ON entry(param, v, patient, rid, w);
CREATE TABLE patient(pid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE param(
  id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(type, name));
CREATE TABLE several(
  rid INTEGER NOT NULL, pid INTEGER NOT NULL, PRIMARY KEY(rid, pid)) WITHOUT ROWID;
CREATE INDEX several_pid ON several(pid, rid);
CREATE TABLE text(id INTEGER PRIMARY KEY, narrative TEXT NOT NULL, rest TEXT NOT NULL);
CREATE VIRTUAL TABLE word USING fts5(
  narrative, rest, content='', columnsize=0, detail=none, prefix='1 3', tokenize='ascii');
"""

_FILLING = "filling"
"""The name in `meta` of a store into which a restore or a copy has not ended."""

BY_VALUE = "INDEXED BY entry_value"
BY_RECORD = "INDEXED BY sqlite_autoindex_entry_1"
"""Which way into `entry`: SQLite, which keeps no statistics here, would often choose the worse one.
The second is the name that SQLite gives to the primary key."""

_PRAGMAS = (
    "synchronous = FULL",
    "temp_store = MEMORY",
    "cache_size = -8192",
    "mmap_size = 0",
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
    "foreign_keys = OFF",
)


def connect(path: str, *, write: bool = False) -> Connection:
    """Open a connection that may be handed from thread to thread, without implicit transactions."""
    connection = sqlite3.connect(
        path,
        timeout=WAIT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=400,
        factory=Connection,
    )
    try:
        connection.create_function("metres", 4, distance, deterministic=True)
        connection.create_function("permits", 2, connection.permits)
        connection.create_function("chosen", -1, connection.chosen)
        for pragma in (*_PRAGMAS, f"query_only = {int(not write)}"):
            connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def prepare(path: str, *, fill: bool = False) -> None:
    """Create the tables in a new file, and refuse a file that is not a store of this version.

    To `fill` it, it must be empty or being filled, which others are refused until it is `filled`.

    Raises ValueError, in words for the operator.
    """
    if not Path(path).parent.is_dir():
        raise ValueError(f"{path}: there is no such folder")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with (
            closing(FileLock(path, WAIT)) as lock,
            lock,
            closing(connect(path, write=True)) as connection,
        ):
            _create_or_check(connection, path)
            _fill_or_refuse(connection, path, fill)
    except OSError as fault:
        raise ValueError(f"{path} cannot be opened: {fault}") from None
    except sqlite3.DatabaseError as fault:
        raise ValueError(f"{path} is not a store: {fault}") from None


def number(connection: sqlite3.Connection, path: str) -> object:
    """Return the schema that a file says it has. Raises ValueError for a file of something else."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if "meta" not in tables:
        raise ValueError(f"{path} is an SQLite file, but not a store of the hub")
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return row[0] if row else None


def _create_or_check(connection: sqlite3.Connection, path: str) -> None:
    if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.executescript(
            f"BEGIN IMMEDIATE;{_TABLES}INSERT INTO meta VALUES('schema', {SCHEMA});COMMIT;"
        )
        return
    found = number(connection, path)
    if found != SCHEMA:
        raise foreign(path, found, SCHEMA)


def _fill_or_refuse(connection: sqlite3.Connection, path: str, fill: bool) -> None:
    begun = connection.execute(f"SELECT 1 FROM meta WHERE name = '{_FILLING}'").fetchone()
    if begun and not fill:
        raise unfinished(path)
    if fill and not begun:
        if connection.execute("SELECT 1 FROM version").fetchone():
            raise occupied(path)
        connection.execute(f"INSERT INTO meta VALUES('{_FILLING}', 1)")


def filled(path: str) -> None:
    """Let a file that was being filled be opened as any other."""
    with closing(connect(path, write=True)) as connection:
        connection.execute(f"DELETE FROM meta WHERE name = '{_FILLING}'")
