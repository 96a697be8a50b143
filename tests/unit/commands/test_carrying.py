"""`fhir-hub backup`, `restore` and `copy` as an operator uses them."""

import asyncio
import os
from pathlib import Path

import pytest

from fhir_server.model import Key, Write
from fhir_server.store.mongo import schema as mongo_schema
from fhir_server.store.open import open_store

KEY = "5a" * 32


@pytest.fixture
def archive(run, city, tmp_path):
    """An archive of the demo city."""
    path = tmp_path / "city.hub"
    assert run("backup", path, "--store", city).status == 0
    return path


@pytest.fixture
def database(mongo):
    """The URL of an empty database."""
    with mongo.server.client() as client:
        client["commands"]["meta"].delete_one({"_id": mongo_schema.FILLING})
    return mongo.url("commands")


def counts(text: str) -> list[str]:
    """Return the lines of a check that count records."""
    return [line for line in text.splitlines() if line[:1].isalpha() and line[-1:].isdigit()]


def test_a_restored_store_holds_the_same(run, city, archive, empty):
    """What is restored counts and checks as what was backed up."""
    told = run("restore", archive, "--store", empty)

    assert told.status == 0
    assert "are the same, sha256" in told.out
    assert counts(run("check", "--store", empty).out) == counts(run("check", "--store", city).out)


def test_the_same_tokens_hold_after_a_restore(run, city, archive, empty):
    """The hub's own records come along: users, roles, the site's key."""
    run("restore", archive, "--store", empty)

    assert run("user", "list", "--store", empty).out == run("user", "list", "--store", city).out


def test_a_backup_goes_into_the_other_kind_of_store(run, archive, database, city):
    told = run("restore", archive, "--store", database)

    assert (told.status, "The store is sound." in told.out) == (0, True)


def test_a_copy_goes_to_mongodb_and_back(run, city, database, empty):
    """Both ways are the same to the last byte: one hash."""
    there = run("copy", "--from", city, "--to", database)
    back = run("copy", "--from", database, "--to", empty)

    assert (there.status, back.status) == (0, 0)
    assert there.out == back.out


def test_a_copy_needs_an_empty_store(run, city):
    told = run("copy", "--from", city, "--to", city)

    assert (told.status, "holds records already" in told.err) == (1, True)


def test_verify_restores_for_a_trial(run, city, tmp_path):
    """The trial is sound, and nothing of it is left."""
    folder = tmp_path / "backups"
    folder.mkdir()
    told = run("backup", folder / "a.hub", "--store", city, "--verify")

    assert (told.status, told.out.splitlines()[-1]) == (0, "The store is sound.")
    assert os.listdir(folder) == ["a.hub"]


def test_a_dry_run_tells_what_is_inside(run, archive):
    told = run("restore", archive, "--dry-run")

    assert told.status == 0
    assert "Patient                              1 records" in told.out


def test_an_encrypted_backup_needs_its_key(run, city, tmp_path, empty, monkeypatch):
    monkeypatch.setenv("FHIR_HUB_BACKUP_KEY", KEY)
    run("backup", tmp_path / "a.hub", "--store", city)
    monkeypatch.delenv("FHIR_HUB_BACKUP_KEY")

    told = run("restore", tmp_path / "a.hub", "--store", empty)

    assert (told.status, "is encrypted; set FHIR_HUB_BACKUP_KEY" in told.err) == (1, True)
    assert not Path(empty.removeprefix("sqlite:///")).exists()


def test_an_encrypted_backup_is_restored_with_its_key(run, city, tmp_path, empty, monkeypatch):
    monkeypatch.setenv("FHIR_HUB_BACKUP_KEY", KEY)
    made = run("backup", tmp_path / "a.hub", "--store", city)

    assert (made.status, "WARNING" in made.err) == (0, False)
    assert run("restore", tmp_path / "a.hub", "--store", empty).status == 0


def test_a_backup_without_a_key_warns(run, city, tmp_path):
    """An archive holds the site's key and all password hashes."""
    told = run("backup", tmp_path / "a.hub", "--store", city)

    assert "WARNING: FHIR_HUB_BACKUP_KEY is not set" in told.err


def test_a_damaged_archive_leaves_a_store_that_nobody_opens(run, archive, empty):
    """Half a record is not a record: what could not be restored whole is not served."""
    archive.write_bytes(archive.read_bytes()[:-200])

    told = run("restore", archive, "--store", empty)

    assert (told.status, "is damaged, cut off or changed" in told.err) == (1, True)
    assert "is not whole" in run("check", "--store", empty).err


def test_a_copy_of_a_source_that_went_on_is_run_again(run, city, empty, monkeypatch):
    """What came after the copy began to compare is told, and taken by the next run."""
    store = open_store(city, lambda: 1)

    def late(*given, **named):
        target = open_store(*given, **named)
        check = target.export

        async def export(after=0):
            await store.commit([Write(Key("Basic", "late"), b"{}")])
            async for line in check(after):
                yield line

        target.export = export
        return target

    monkeypatch.setattr("fhir_server.commands.carrying.open_store", late)
    first = run("copy", "--from", city, "--to", empty)
    monkeypatch.undo()
    asyncio.run(store.close())

    assert (first.status, "Meanwhile 1 came" in first.out) == (1, True)
    assert run("copy", "--from", city, "--to", empty).status == 0


@pytest.mark.parametrize("words", [("restore", __file__), ("copy", "--from", "x", "--to", "y")])
def test_what_cannot_be_read_is_told_in_words(run, empty, words):
    told = run(*words)

    assert (told.status, told.err.count("\n")) == (1, 1)
