"""Processes on one file decide their preconditions one after the other."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from fhir_server.model import Key, Query
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.sqlite.store import SQLiteStore

_ROOT = Path(__file__).parents[2]
_ROUNDS = 60


def _start(path: Path, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.racing", str(path), name, str(_ROUNDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )


def _race(path: Path, names: str) -> list[tuple[int, int]]:
    racers = [_start(path, name) for name in names]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=60)[0].split() for racer in racers]
    return [(int(won), int(counted)) for won, counted in told]


def test_one_of_two_processes_wins(tmp_path: Path) -> None:
    """If-None-Exist: of equal conditional creates one is carried out."""
    path = tmp_path / "hub.db"
    told = _race(path, "ab")

    async def examine() -> None:
        store = SQLiteStore(str(path), lambda: 0)
        try:
            assert await store.count(Query("Patient", EVERYTHING)) == _ROUNDS
            counter = await store.read(Key("Basic", "counter"))
            assert counter is not None
            assert counter.vid == sum(counted for _, counted in told)
            assert [c.seq for c in await store.changes(0, 1000)] == list(
                range(1, _ROUNDS + counter.vid + 1)
            )
            assert await store.check() == []
        finally:
            await store.close()

    assert sum(won for won, _ in told) == _ROUNDS
    asyncio.run(examine())
