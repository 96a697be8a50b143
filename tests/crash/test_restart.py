"""A hub that is told to stop finishes what it accepted; workers are replaced without a loss."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fhir_server.bench.hub import Hub, family
from fhir_server.fhirjson import resource
from fhir_server.store.open import open_store
from tests.crash.asking import Clients, transaction, turns
from tests.crash.test_messages import message

CONNECTIONS = 12
PATIENCE = 60


@pytest.fixture
def hub(url: str) -> Iterator[Hub]:
    """A hub of one process."""
    with Hub("--open", seed_demo=False, store=url) as running:
        yield running


@pytest.fixture
def workers(url: str) -> Iterator[Hub]:
    """A hub of two processes."""
    with Hub("--open", "--workers", "2", seed_demo=False, store=url) as running:
        yield running


async def kept(hub: Hub) -> dict[str, int]:
    """Return the turn of every resource in the hub's store."""
    store = open_store(hub.store, lambda: 0)
    try:
        return turns([resource(version) async for version in store.scan("Basic")])
    finally:
        await store.close()


def test_what_was_sent_before_sigterm_is_answered(hub: Hub) -> None:
    """On connections that were open already, each request is carried out and answered."""

    async def run() -> list[int]:
        async with httpx.AsyncClient(
            base_url=f"{hub.base}/fhir",
            timeout=PATIENCE,
            limits=httpx.Limits(max_connections=CONNECTIONS),
        ) as client:
            await asyncio.gather(*(client.get("/metadata") for _ in range(CONNECTIONS)))
            writes = [
                asyncio.ensure_future(client.post("/", json=transaction(f"t{n}", 0)))
                for n in range(CONNECTIONS)
            ]
            await asyncio.sleep(0)
            hub.process.send_signal(signal.SIGTERM)
            return [(await write).status_code for write in writes]

    answers = asyncio.run(run())

    assert answers == [200] * CONNECTIONS
    assert hub.process.wait(PATIENCE) == -signal.SIGTERM
    assert len(asyncio.run(kept(hub))) == CONNECTIONS * 3


def test_a_message_sent_before_sigterm_is_answered(hub: Hub) -> None:
    host, port = hub.mllp.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(message(1))
        assert b"MSA|AA|K1" in connection.recv(65536)
        connection.sendall(message(2))
        hub.process.send_signal(signal.SIGTERM)

        assert b"MSA|AA|K2" in connection.recv(65536)


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def serving(hub: Hub) -> set[int]:
    """Return the processes that serve: the hub's children but the one that Python keeps."""
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in family(hub.process.pid)[1:]}
    return {
        pid
        for pid, file in commands.items()
        if file.exists() and b"spawn_main" in file.read_bytes()
    }


def roll(hub: Hub, clients: Clients) -> None:
    """Have all workers replaced under load."""
    before = serving(hub)
    until(lambda: clients.answers > 30)
    hub.process.send_signal(signal.SIGHUP)
    until(lambda: not before & serving(hub))
    answers = clients.answers
    until(lambda: clients.answers > answers + 30)
    clients.stopped = True


def test_a_rolling_restart_loses_no_request(workers: Hub) -> None:
    """SIGHUP replaces the workers one after another; no client ever repeats a request."""

    async def run() -> Clients:
        clients = Clients(workers.base, "roll")
        load = asyncio.ensure_future(clients.run(CONNECTIONS))
        try:
            await asyncio.to_thread(roll, workers, clients)
        finally:
            clients.stopped = True
        await load
        return clients

    clients = asyncio.run(run())

    assert clients.faults == []
    found = asyncio.run(kept(workers))
    assert all(found[f"{name}-a"] == turn for name, turn in clients.acknowledged.items())
