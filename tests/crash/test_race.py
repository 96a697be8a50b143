"""Processes on one store decide their preconditions as if one after the other."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from fhir_server.model import Key, Query
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.open import open_store

_ROOT = Path(__file__).parents[2]
_ROUNDS = 60


def _start(script: str, url: str, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.crash.{script}", url, name, str(_ROUNDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )


def _race(script: str, url: str, names: str) -> list[tuple[int, int]]:
    racers = [_start(script, url, name) for name in names]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=60)[0].split() for racer in racers]
    return [(int(won), int(counted)) for won, counted in told]


def test_one_of_two_processes_wins(url: str) -> None:
    """If-None-Exist: of equal conditional creates one is carried out."""
    told = _race("racing", url, "ab")

    async def examine() -> None:
        store = open_store(url, lambda: 0)
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


def test_one_patient_whatever_the_criteria(url: str) -> None:
    """Of conditional creates that the same patient satisfies one is carried out, with and without
    an identifier in the criteria, and none after a plain create."""
    told = _race("contending", url, "ab")

    async def examine() -> None:
        store = open_store(url, lambda: 0)
        try:
            created: dict[str, list[str]] = {}
            for change in await store.changes(0, 10_000):
                number, kind, _ = change.key.id.split("-")
                created.setdefault(number, []).append(kind)
            assert len(created) == _ROUNDS
            for number, kinds in created.items():
                assert kinds[1:] == ["plain"] * len(kinds[1:]), (number, kinds)
            assert await store.count(Query("Patient", EVERYTHING)) == sum(won for won, _ in told)
            assert await store.check() == []
        finally:
            await store.close()

    asyncio.run(examine())
