"""A process that writes until it is killed, and says what was acknowledged, one line a commit.

`python -m tests.crash.writing URL NAME`: eight commits are always in flight, each of two records
of which the second names the first; some are updates.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from itertools import count

from fhir_server.errors import Busy, PreconditionFailed
from fhir_server.model import Entry, Key, Version, Write
from fhir_server.store.open import open_store
from fhir_server.store.protocol import Store

_IN_FLIGHT = 8


def pair(name: str, number: int, turn: int) -> list[Write]:
    """Return the two writes of a commit; both bodies and entries tell the same turn."""
    first, second = Key("Basic", f"{name}-{number}-a"), Key("Basic", f"{name}-{number}-b")
    body = f'{{"turn":{turn},"more":"{"x" * (turn * 700 % 5000)}"}}'.encode()
    entries = (Entry("turn", turn), Entry("code", f"c{number % 7}", "http://s"))
    patients = (f"p{number % 5}",)
    return [
        Write(first, body, entries, patients=patients, expect=turn),
        Write(second, body, (*entries, Entry("ref", str(first))), patients=patients, expect=turn),
    ]


def acknowledge(written: list[Version]) -> None:
    """Say it in one system call, so that the line is whole or not there."""
    text = " ".join(f"{v.key.id}:{v.vid}" for v in written)
    os.write(1, f"{text}\n".encode())


async def _insist(store: Store, writes: Sequence[Write]) -> list[Version]:
    """Commit, however often the store is busy; what it wrote without saying so is not told."""
    while True:
        try:
            return await store.commit(writes)
        except Busy:
            await asyncio.sleep(0.05)
        except PreconditionFailed:
            return []


async def _write(store: Store, name: str) -> None:
    numbers = count()

    async def lane() -> None:
        while True:
            number = next(numbers)
            for turn in range(3):
                acknowledge(await _insist(store, pair(name, number, turn)))

    await asyncio.gather(*(lane() for _ in range(_IN_FLIGHT)))


if __name__ == "__main__":
    asyncio.run(_write(open_store(sys.argv[1], lambda: time.time_ns() // 1_000_000), sys.argv[2]))
