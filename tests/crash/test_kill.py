"""A killed process loses nothing that it acknowledged, and leaves nothing half written."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from fhir_server.model import Key, Query
from fhir_server.search.tree import Cond, Match
from fhir_server.store.open import open_store

_ROOT = Path(__file__).parents[2]


def start(url: str, name: str) -> "subprocess.Popen[str]":
    """Start a process that writes until it is killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.writing", url, name],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )


def _kill_after(writers: Sequence["subprocess.Popen[str]"], lines: int) -> list[str]:
    """Kill all once the first has acknowledged so many commits; return what they acknowledged."""
    said: list[list[str]] = [[] for _ in writers]
    enough = threading.Event()

    def listen(place: int) -> None:
        stdout = writers[place].stdout
        assert stdout is not None
        for line in stdout:
            said[place].append(line)
            if len(said[0]) >= lines:
                enough.set()
        enough.set()

    ears = [threading.Thread(target=listen, args=(n,)) for n in range(len(writers))]
    for ear in ears:
        ear.start()
    enough.wait(60)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for ear, writer in zip(ears, writers, strict=True):
        ear.join()
        writer.wait()
        assert writer.stdout is not None
        writer.stdout.close()
    return [line for lines_ in said for line in lines_]


async def examine(url: str, acknowledged: Iterable[str]) -> None:
    """Hold a store against what was acknowledged: all of it is there, and nothing is half there."""
    store = open_store(url, lambda: 0)
    try:
        assert await store.check() == []
        for word in (word for line in acknowledged for word in line.split()):
            id, _, vid = word.partition(":")
            version = await store.read(Key("Basic", id), int(vid))
            assert version is not None, word
            assert version.body is not None
            assert json.loads(version.body)["turn"] == int(vid) - 1
        versions = {v.key.id: v async for v in store.scan("Basic")}
        for id, version in versions.items():
            other = versions[id[:-1] + ("b" if id.endswith("a") else "a")]
            assert (other.vid, other.body) == (version.vid, version.body)
        found = 0
        for turn in range(3):
            where = Match("turn", (Cond("v", "=", turn),))
            found += await store.count(Query("Basic", where))
            expected = sum(v.vid == turn + 1 for v in versions.values())
            assert await store.count(Query("Basic", where)) == expected
        assert found == len(versions)
    finally:
        await store.close()


def _rounds(url: str, rounds: int, processes: int) -> None:
    chance = random.Random(rounds * 10 + processes)
    acknowledged: list[str] = []
    for n in range(rounds):
        writers = [start(url, f"r{n}p{p}") for p in range(processes)]
        acknowledged += _kill_after(writers, chance.randrange(1, 120))
        asyncio.run(examine(url, acknowledged))
    assert acknowledged


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_writers_lose_nothing(url: str, processes: int) -> None:
    _rounds(url, 3, processes)


@pytest.mark.proof
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_writers_lose_nothing_a_hundred_times(url: str, processes: int) -> None:
    _rounds(url, 50, processes)
