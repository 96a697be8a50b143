"""Opening stores by URL, and refusing what is none."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhir_server.store.memory import MemoryStore
from fhir_server.store.open import open_store
from fhir_server.store.sqlite.store import SQLiteStore


def test_memory() -> None:
    assert isinstance(open_store("memory://", lambda: 0), MemoryStore)


def test_sqlite_makes_its_file(path: str) -> None:
    store = open_store(f"sqlite:///{path}", lambda: 0)

    assert isinstance(store, SQLiteStore)
    assert Path(path).stat().st_mode & 0o777 == 0o600
    asyncio.run(store.close())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://localhost", "names no store"),
        ("sqlite://hub.db", "names no store"),
        ("sqlite:///", "names no store"),
        ("memory://x", "names no store"),
        ("", "names no store"),
        ("mongodb://127.0.0.1:1/hub", "No MongoDB server answers"),
        ("sqlite:////nowhere/at/all/hub.db", "no such folder"),
    ],
)
def test_what_names_no_store_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_store(url, lambda: 0)


def test_file_that_is_no_database_is_refused(path: str) -> None:
    Path(path).write_text("hello" * 1000)

    with pytest.raises(ValueError, match="is not a store"):
        open_store(f"sqlite:///{path}", lambda: 0)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}", lambda: 0)


def test_foreign_database_is_refused(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE song(title)")

    with pytest.raises(ValueError, match="not a store of the hub"):
        open_store(f"sqlite:///{path}", lambda: 0)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE meta SET value = 99", "has schema 99; .*a newer version of the hub made it"),
        ("UPDATE meta SET value = 1", "has schema 1; .*run `fhir-hub migrate`"),
        ("DELETE FROM meta", "has schema none; .*it is damaged"),
    ],
)
def test_another_schema_is_refused(path: str, sql: str, words: str) -> None:
    asyncio.run(open_store(f"sqlite:///{path}", lambda: 0).close())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()

    with pytest.raises(ValueError, match=words):
        open_store(f"sqlite:///{path}", lambda: 0)
