"""A process that races others: conditional creates, and updates of one counter.

`python -m tests.crash.racing URL NAME ROUNDS`: waits for a line on stdin, then prints how many of
its conditional creates won and how many of its updates were taken.
"""

import asyncio
import sys
import time

from fhir_server.errors import AlreadyMatched, PreconditionFailed
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import Cond, Match
from fhir_server.store.open import open_store
from fhir_server.store.protocol import Store

COUNTER = Key("Basic", "counter")


async def _create(store: Store, name: str, number: int) -> bool:
    unless = Query("Patient", Match("identifier", (Cond("v", "=", f"i{number}"),)))
    key = Key("Patient", f"{name}-{number}")
    write = Write(key, b"{}", (Entry("identifier", f"i{number}"),), expect=0, unless=unless)
    try:
        await store.commit([write])
    except AlreadyMatched:
        return False
    return True


async def _increment(store: Store) -> bool:
    last = await store.read(COUNTER)
    try:
        await store.commit([Write(COUNTER, b"{}", expect=last.vid if last else 0)])
    except PreconditionFailed:
        return False
    return True


async def _race(url: str, name: str, rounds: int) -> None:
    store = open_store(url, lambda: time.time_ns() // 1_000_000)
    print("ready", flush=True)
    sys.stdin.readline()
    won = await asyncio.gather(*(_create(store, name, n) for n in range(rounds)))
    counted = [await _increment(store) for _ in range(rounds)]
    await store.close()
    print(sum(won), sum(counted), flush=True)


if __name__ == "__main__":
    asyncio.run(_race(sys.argv[1], sys.argv[2], int(sys.argv[3])))
