"""kill -9 between any two bytes of an MLLP exchange loses nothing and doubles nothing."""

import asyncio
import random
import socket
import time
from datetime import datetime, timedelta, timezone

import pytest

from adapters.transport.mllp import encode
from fhir_server.bench.hub import Hub
from fhir_server.demo import feed
from fhir_server.demo.stage import hero
from fhir_server.model import Query
from fhir_server.search.tree import Cond, Match
from fhir_server.store.open import open_store

AT = datetime(2026, 6, 1, 8, tzinfo=timezone(timedelta(hours=8)))
MRN = "urn:oid:2.999.86.1.1"
PATIENTS_A_ROUND = 12


def message(number: int) -> bytes:
    """Return an admission of patient `number`."""
    return encode(feed.admission(f"K{number}", AT, hero(number)).encode())


def send_until(hub: Hub, numbers: list[int], deadline: float, rng: random.Random) -> set[int]:
    """Send messages in random pieces until the hub is killed; return which were acknowledged AA."""
    acknowledged = set()
    host, port = hub.mllp.split(":")
    try:
        with socket.create_connection((host, int(port)), 5) as connection:
            for number in numbers:
                data = message(number)
                cut = rng.randrange(len(data))
                for piece in (data[:cut], data[cut:]):
                    connection.sendall(piece)
                    if time.monotonic() > deadline:
                        hub.kill()
                if f"MSA|AA|K{number}".encode() in connection.recv(65536):
                    acknowledged.add(number)
    except OSError:
        pass
    return acknowledged


async def patients_of(hub: Hub, numbers: list[int]) -> dict[int, int]:
    """Return how many patients the store holds for each record number."""
    store = open_store(hub.store, lambda: 0)
    try:
        found = {}
        for number in numbers:
            name = hero(number).record_number
            where = Match("identifier", (Cond("v", "=", name), Cond("w", "=", MRN)))
            found[number] = await store.count(Query("Patient", where))
        assert await store.check() == []
        return found
    finally:
        await store.close()


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.proof)])
def test_a_killed_hub_loses_and_doubles_nothing(url, rounds):
    """What was acknowledged is there after the crash; what is sent again is there once."""
    rng = random.Random(rounds)
    with Hub(seed_demo=False, store=url) as hub:
        for turn in range(rounds):
            numbers = [1000 * (turn + 1) + n for n in range(PATIENTS_A_ROUND)]
            acknowledged = send_until(hub, numbers, time.monotonic() + rng.uniform(0, 0.3), rng)
            if hub.process.poll() is None:
                hub.kill()
            after_crash = asyncio.run(patients_of(hub, numbers))
            hub.restart()
            again = send_until(hub, numbers, time.monotonic() + 60, rng)
            hub.kill()
            in_the_end = asyncio.run(patients_of(hub, numbers))
            hub.restart()

            assert all(after_crash[number] == 1 for number in acknowledged)
            assert again == set(numbers)
            assert set(in_the_end.values()) == {1}
