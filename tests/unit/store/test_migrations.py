"""Stores of older schemas become stores of this one, or stay what they were."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_server.model import History, Key
from fhir_server.store.migration import Step
from fhir_server.store.mongo import migrations as on_mongo
from fhir_server.store.mongo import schema as mongo_schema
from fhir_server.store.open import migrate, open_store
from fhir_server.store.sqlite import migrations as on_sqlite
from fhir_server.store.sqlite import schema
from tests.mongod import Mongo

Run = Callable[..., Any]

SCHEMA_1 = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE version(
  seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, vid INTEGER NOT NULL, updated INTEGER NOT NULL,
  method TEXT NOT NULL, patients TEXT NOT NULL, auth BLOB NOT NULL, body BLOB);
CREATE UNIQUE INDEX version_of ON version(rid, vid);
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
INSERT INTO meta VALUES('schema', 1);
INSERT INTO param VALUES(1, 'Patient', ''), (2, 'token', ''), (3, 'Patient', 'family');
INSERT INTO patient VALUES(1, 'p');
INSERT INTO record VALUES(1, 'Patient/p', 1, 3, 2, 200, 1, 0), (2, 'token/t', 2, 2, 1, 150, 0, 0);
INSERT INTO version VALUES
  (1, 1, 1, 100, 'POST', 'p', x'', x'7B7D'), (2, 2, 1, 150, 'PUT', '', x'', x'7B7D'),
  (3, 1, 2, 200, 'PUT', 'p', x'', x'7B7D');
INSERT INTO entry VALUES(1, 3, 0, 'li', 'Li', '', 0, '', 1);
"""
"""The tables of schema 1 as they were, with a patient of two versions and an internal record."""


@pytest.fixture
def old(path: str) -> str:
    """A file of schema 1."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA_1)
    return path


def told(path: str, *, dry: bool = False) -> list[Step]:
    """Migrate and return what was told."""
    steps: list[Step] = []
    migrate(f"sqlite:///{path}", steps.append, dry=dry)
    return steps


def tables(path: str) -> set[tuple[str, str]]:
    """Return the statements that made a file's tables and indexes, however they are spaced."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_schema")
        return {(name, " ".join((sql or "").split())) for name, sql in rows}


def test_an_old_file_is_not_opened(old: str) -> None:
    with pytest.raises(ValueError, match=r"has schema 1; .* run `fhir-hub migrate`"):
        open_store(f"sqlite:///{old}", lambda: 0)


def test_the_steps_lead_to_what_a_new_file_is(old: str, tmp_path: Path) -> None:
    told(old)
    schema.prepare(str(tmp_path / "new.db"))

    assert tables(old) == tables(str(tmp_path / "new.db"))


def test_a_migrated_store_is_sound_and_has_its_past(old: str) -> None:
    told(old)

    async def look() -> tuple[list[str], list[int], int]:
        store = open_store(f"sqlite:///{old}", lambda: 0)
        found = await store.history(History(frozenset({"Patient"})))
        problems = await store.check()
        live = [version async for version in store.scan()]
        await store.close()
        return problems, [version.vid for version in found], len(live)

    assert asyncio.run(look()) == ([], [2, 1], 2)


def test_each_step_is_told_with_its_number_and_rows(old: str) -> None:
    steps = told(old)

    assert [step.number for step in steps] == list(range(2, schema.SCHEMA + 1))
    assert steps[0] == Step(2, on_sqlite.MIGRATIONS[0].words, 2)


def test_a_dry_run_tells_the_same_and_changes_nothing(old: str) -> None:
    before = Path(old).read_bytes()
    steps = told(old, dry=True)

    assert Path(old).read_bytes() == before
    assert told(old) == steps


def test_what_is_up_to_date_needs_no_step(old: str) -> None:
    told(old)

    assert told(old) == []


def test_a_newer_file_is_refused(old: str) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE meta SET value = 99")
        connection.commit()

    with pytest.raises(ValueError, match="a newer version of the hub made it"):
        told(old)


def test_a_file_in_use_is_not_migrated(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old hub that goes on writing would leave out what the new schema adds."""
    monkeypatch.setattr(schema, "WAIT", 0.05)
    with closing(sqlite3.connect(old)) as hub:
        hub.execute("SELECT * FROM record").fetchone()
        with pytest.raises(ValueError, match="in use: stop all hubs"):
            told(old)


def test_a_step_that_fails_leaves_the_file_as_it_was(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tables(old)
    first, *more = on_sqlite.MIGRATIONS
    broken = replace(first, statements=(*first.statements, "INSERT INTO nowhere VALUES(1)"))
    monkeypatch.setattr(on_sqlite, "MIGRATIONS", (broken, *more))

    with pytest.raises(ValueError, match="it is as it was"):
        told(old)

    assert tables(old) == before


def test_the_numbers_of_the_steps_have_no_gap() -> None:
    assert [m.number for m in on_sqlite.MIGRATIONS] == list(range(2, schema.SCHEMA + 1))
    assert [m.number for m in on_mongo.MIGRATIONS] == list(range(2, mongo_schema.SCHEMA + 1))


@pytest.fixture
def old_database(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of schema 1, for a version of the hub that reads schema 2."""
    with mongo.server.client() as client:
        client.drop_database("migrations")
    url = mongo.url("migrations")
    monkeypatch.setattr(mongo_schema, "SCHEMA", 1)
    mongo_schema.prepare(url)
    step = on_mongo.Migration(
        2,
        "marks all records",
        lambda database: database["record"].count_documents({}),
        lambda database: database["record"].update_many({}, {"$set": {"mark": 1}}) and None,
    )
    monkeypatch.setattr(mongo_schema, "SCHEMA", 2)
    monkeypatch.setattr(on_mongo, "MIGRATIONS", (step,))
    with mongo.server.client() as client:
        client["migrations"]["meta"].update_one({"_id": "schema"}, {"$set": {"value": 1}})
        client["migrations"]["record"].insert_one({"_id": "Basic/1"})
    return url


def test_a_database_is_migrated_and_numbered(old_database: str, mongo: Mongo) -> None:
    steps: list[Step] = []
    migrate(old_database, steps.append, dry=False)

    assert steps == [Step(2, "marks all records", 1)]
    with mongo.server.client() as client:
        database = client["migrations"]
        assert database["record"].count_documents({"mark": 1}) == 1
        kept = database["meta"].find_one({"_id": "schema"})
    assert kept == {"_id": "schema", "value": 2}


def test_a_database_without_stamps_is_migrated(mongo: Mongo) -> None:
    """A hub of the older version would close grants without a stamp."""
    url = mongo.url("stampless")
    mongo_schema.prepare(url)
    with mongo.server.client() as client:
        client["stampless"]["meta"].update_one({"_id": "schema"}, {"$set": {"value": 1}})
        client["stampless"]["record"].insert_one({"_id": "grant/1", "t": "grant"})
    steps: list[Step] = []
    migrate(url, steps.append, dry=False)

    assert [(step.number, step.rows) for step in steps] == [(2, 1)]
    mongo_schema.prepare(url)


def test_a_database_of_an_older_schema_is_not_opened(old_database: str) -> None:
    with pytest.raises(ValueError, match=r"has schema 1; .* run `fhir-hub migrate`"):
        open_store(old_database, lambda: 0)


def test_a_dry_run_leaves_a_database_alone(old_database: str, mongo: Mongo) -> None:
    migrate(old_database, lambda step: None, dry=True)

    with mongo.server.client() as client:
        assert client["migrations"]["record"].count_documents({"mark": 1}) == 0


def test_a_database_of_nobody_is_refused(mongo: Mongo) -> None:
    with pytest.raises(ValueError, match="is not a store of the hub"):
        migrate(f"mongodb://{mongo.server.host}/nothing", lambda step: None, dry=True)


def test_reading_what_was_migrated(old: str) -> None:
    told(old)

    async def read() -> object:
        store = open_store(f"sqlite:///{old}", lambda: 0)
        version = await store.read(Key("Patient", "p"))
        await store.close()
        return version and (version.vid, version.updated, version.body)

    assert asyncio.run(read()) == (2, 200, b"{}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        told(str(tmp_path / "typo.db"))


def test_a_file_of_something_else_is_told(path: str) -> None:
    Path(path).write_bytes(b"something else" * 1000)

    with pytest.raises(ValueError, match="file is not a database; it is as it was"):
        told(path)


def test_a_gap_in_the_steps_is_told(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_sqlite, "MIGRATIONS", on_sqlite.MIGRATIONS[1:])

    with pytest.raises(ValueError, match="nothing leads from schema 1 to schema"):
        told(old)


@pytest.mark.parametrize("url", ["memory://", "sqlite://hub.db", "mysql:///x"])
def test_what_has_no_schema_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="names no store that has a schema"):
        migrate(url, lambda step: None, dry=True)
