"""A search parameter that comes while others write; a process that is killed while it indexes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fhir_server import fhirjson
from fhir_server.app import Parts, assemble, milliseconds
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform
from fhir_server.interactions.progress import LEASE, Progress, read_progress
from fhir_server.interactions.reindex import reindex
from fhir_server.settings import Settings
from tests.crash.indexing import OPEN, create

_ROOT = Path(__file__).parents[2]
_NUMBER = 160
NICKNAME = {
    "resourceType": "SearchParameter",
    "url": "http://example.org/SearchParameter/nickname",
    "name": "nickname",
    "status": "active",
    "description": "A name that is no official one.",
    "code": "nickname",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.where(use = 'nickname').given",
}


def _start(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.indexing", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@asynccontextmanager
async def _hub(url: str, ahead: int = 0) -> AsyncIterator[Parts]:
    parts = await assemble(Settings(store=url), lambda: milliseconds() + ahead)
    try:
        yield parts
    finally:
        await parts.store.close()


async def _define(parts: Parts) -> None:
    ask = Interaction("create", "SearchParameter", body=fhirjson.encode(NICKNAME))
    assert (await perform(parts.server, OPEN, ask)).status == 201


async def _found(parts: Parts, name: str) -> int:
    params = (("nickname", name), ("_count", "0"))
    ask = Interaction("search-type", "Patient", params=params)
    reply = await perform(parts.server, OPEN, ask)
    total: int = fhirjson.decode(reply.body)["total"]
    return total


@pytest.mark.proof
def test_no_write_is_lost_to_a_parameter_that_comes_meanwhile(url: str) -> None:
    async def run() -> None:
        async with _hub(url) as parts:
            writers = [_start("write", url, name, str(_NUMBER)) for name in ("ann", "bob")]
            for writer in writers:
                assert _line(writer) == "ready"
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write("go\n")
                writer.stdin.flush()
            for writer in writers:
                assert _line(writer) == "writing"
            await _define(parts)
            assert await reindex(parts.server, parts.store, "the test")
            for name, writer in zip(("ann", "bob"), writers, strict=True):
                made = int(await asyncio.to_thread(_line, writer))
                writer.communicate(timeout=60)
                assert made > 0
                assert await _found(parts, name) == made
            assert await parts.store.check() == []

    asyncio.run(run())


@pytest.mark.proof
def test_what_a_killed_process_had_begun_is_ended_by_another(url: str) -> None:
    async def fill() -> None:
        async with _hub(url) as parts:
            for start in range(0, 400, 40):
                some = (create(parts, f"cat{n}") for n in range(start, start + 40))
                assert all(await asyncio.gather(*some))
            await _define(parts)

    async def end() -> list[Progress]:
        told: list[Progress] = []
        async with _hub(url) as parts:
            _, left = await read_progress(parts.store)
            assert left.owner == "one that is killed"
            assert not await reindex(parts.server, parts.store, "another")
        async with _hub(url, ahead=LEASE) as parts:
            assert await reindex(parts.server, parts.store, "another", told=told.append)
            assert await _found(parts, "cat") == 400
            assert await parts.store.check() == []
        return told

    asyncio.run(fill())
    killed = _start("reindex", url)
    assert int(_line(killed)) > 0
    killed.kill()
    killed.communicate()

    told = asyncio.run(end())

    assert told[-1].done == 400
