"""A copy or a restore that is killed, again and again, goes on where it stopped, and ends whole."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.model import Entry, Key, Write
from fhir_server.store.mongo import schema
from fhir_server.store.open import open_store
from tests.mongod import Mongo

RECORDS = 4000
ROUNDS = 3

ROOT = Path(__file__).parents[2]

Words = tuple[str, ...]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A store of some thousand records, of which some have several versions or are deleted."""
    url = f"sqlite:///{tmp_path}/source.db"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    store = open_store(url, lambda: time.time_ns() // 1_000_000)
    for start in range(0, RECORDS, 100):
        numbers = range(start, start + 100)
        await store.commit([_write(number, b"%d" % number) for number in numbers])
        await store.commit([_write(number, b"again") for number in numbers[::7]])
        await store.commit([_write(number, None) for number in numbers[::11]])
    await store.close()


def _write(number: int, body: bytes | None) -> Write:
    entries = (Entry("code", number % 50, "urn:s"), Entry("text", f"t{number}"))
    return Write(Key("Basic", str(number)), body, entries, patients=(f"p{number % 90}",))


@pytest.fixture
def archive(source: str, tmp_path: Path) -> str:
    """A backup of the store."""
    path = str(tmp_path / "a.hub")
    assert run("backup", path, "--store", source).returncode == 0
    return path


@pytest.fixture(params=["sqlite", "mongodb"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/target.db"
    mongo: Mongo = request.getfixturevalue("mongo")
    with mongo.server.client() as client:
        client["killed"]["meta"].delete_one({"_id": schema.FILLING})
    return mongo.url("killed")


def start(*words: str) -> "subprocess.Popen[str]":
    """Start a command."""
    command = [sys.executable, "-m", "fhir_server", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    process = start(*words)
    out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def killed(words: Words, lines: Callable[[], int], more: int) -> None:
    """Start a command, and kill it once so many lines more have come."""
    wanted = lines() + more
    process = start(*words)
    while process.poll() is None and lines() < wanted:
        time.sleep(0.005)
    process.kill()
    process.communicate()


def counted(url: str) -> int:
    """Return how many records a store has that another process fills."""
    if url.startswith("mongodb"):
        with MongoClient[dict[str, Any]](url) as client:
            return client.get_default_database()["record"].estimated_document_count()
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM record").fetchone()[0])
        except sqlite3.OperationalError:  # there is no table yet
            return 0


@pytest.mark.parametrize("how", ["copy", pytest.param("restore", marks=pytest.mark.proof)])
def test_a_killed_copy_goes_on(
    request: pytest.FixtureRequest, source: str, target: str, how: str
) -> None:
    rng = random.Random(1)
    words: Words = ("copy", "--from", source, "--to", target)
    if how == "restore":
        words = ("restore", request.getfixturevalue("archive"), "--store", target)
    for _ in range(ROUNDS):
        killed(words, lambda: counted(target), rng.randrange(1, 600))

    done = run(*words)
    fresh = run("backup", f"{source.removeprefix('sqlite:///')}.hub", "--store", source)
    [line] = [line for line in fresh.stdout.splitlines() if line.startswith("sha256")]

    assert done.returncode == 0, done.stderr
    assert "Going on behind" in done.stdout
    assert line in done.stdout
    assert run("check", "--store", target).returncode == 0
