"""kill -9 of a hub that takes transactions over HTTP and HL7 v2 over MLLP, at random moments.

After its restart every acknowledged write is there, no transaction is half there, and `check` finds
nothing.
"""

import asyncio
import random
import threading
import time

import pytest

from fhir_server.bench.hub import Hub
from fhir_server.fhirjson import resource
from fhir_server.store.open import open_store
from tests.crash.asking import PARTS, Clients, turns
from tests.crash.test_messages import patients_of, send_until

MESSAGES_A_ROUND = 200
MOST_ANSWERS = 80
LONGEST = 20.0


def under_load(hub: Hub, turn: int, rng: random.Random) -> tuple[Clients, list[int], set[int]]:
    """Write over HTTP and MLLP, kill the hub amid, and return what was sent and acknowledged."""
    clients = Clients(hub.base, f"r{turn}")
    numbers = [1000 * (turn + 1) + n for n in range(MESSAGES_A_ROUND)]
    messages: set[int] = set()
    end = time.monotonic() + LONGEST
    enough, pause = rng.randrange(MOST_ANSWERS), rng.uniform(0, 0.03)

    def send() -> None:
        messages.update(send_until(hub, numbers, end, rng))

    def kill() -> None:
        while clients.answers < enough and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(pause)
        hub.kill()

    others = [threading.Thread(target=send), threading.Thread(target=kill)]
    for other in others:
        other.start()
    asyncio.run(clients.run())
    for other in others:
        other.join()
    return clients, numbers, messages


async def found(hub: Hub) -> dict[str, int]:
    """Check the store, and return the turn of every resource in it."""
    store = open_store(hub.store, lambda: 0)
    try:
        assert await store.check() == []
        return turns([resource(version) async for version in store.scan("Basic")])
    finally:
        await store.close()


def judge(clients: Clients, kept: dict[str, int]) -> None:
    """Hold what a store keeps of some clients against what was acknowledged to them."""
    for name in clients.begun:
        of_name = {kept.get(f"{name}-{part}", -1) for part in PARTS}
        assert len(of_name) == 1, f"{name} is half there"
        assert of_name.pop() >= clients.acknowledged.get(name, -1), f"{name} is lost"


@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=pytest.mark.proof)])
def test_a_killed_hub_keeps_what_it_acknowledged(url: str, rounds: int) -> None:
    rng = random.Random(rounds)
    total = 0
    everything: list[Clients] = []
    with Hub("--open", seed_demo=False, store=url) as hub:
        for turn in range(rounds):
            clients, numbers, messages = under_load(hub, turn, rng)
            hub.restart()
            judge(clients, asyncio.run(found(hub)))
            admitted = asyncio.run(patients_of(hub, numbers))
            assert all(admitted[number] == 1 for number in messages)
            assert set(admitted.values()) <= {0, 1}
            total += len(clients.acknowledged) + len(messages)
            everything.append(clients)
        in_the_end = asyncio.run(found(hub))
        for clients in everything:
            judge(clients, in_the_end)
    assert total > rounds
    print(f"{rounds} rounds, {total} acknowledged")
