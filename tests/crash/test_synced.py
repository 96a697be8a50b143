"""Between a request and the first byte of its answer lies the sync of what it wrote.

A killed process cannot show this: what the kernel holds outlives it. So the hub's system calls are
watched. On SQLite nothing that was written to the log is unsynced when an answer leaves, on MongoDB
the server's journal is synced in between.
"""

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_server.bench.hub import Hub
from fhir_server.store.mongo.schema import prepare
from tests.crash.asking import transaction
from tests.crash.test_messages import message
from tests.crash.tracing import attached
from tests.mongod import Mongod

CALLS = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync"
WATCH = ("-yy", "-s", "300", "-e", f"trace={CALLS}")

BASIC = {"resourceType": "Basic", "id": "1", "code": {"text": "x"}}
PATCH = [{"op": "replace", "path": "/code/text", "value": "y"}]
JSON_PATCH = {"Content-Type": "application/json-patch+json"}

Ask = Callable[[httpx.Client], httpx.Response]

REQUESTS: dict[str, Ask] = {
    "create": lambda c: c.post("/Basic", json=BASIC),
    "conditional create": lambda c: c.post(
        "/Basic", json=BASIC, headers={"If-None-Exist": "identifier=urn:s|1"}
    ),
    "update": lambda c: c.put("/Basic/1", json=BASIC),
    "patch": lambda c: c.patch("/Basic/1", json=PATCH, headers=JSON_PATCH),
    "transaction": lambda c: c.post("/", json=transaction("t", 0)),
    "read, of which an audit row tells": lambda c: c.get("/Basic/1"),
    "delete": lambda c: c.delete("/Basic/1"),
}

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(.*)")


@dataclass(frozen=True)
class Event:
    """What a line of the trace tells: a request that came, an answer that begins to leave, a log
    that is written to, or one that has been synced."""

    kind: str


def events(trace: str, log: str) -> Iterator[Event]:
    """Yield what happened, in order. `log` is a part of the name of the file that is synced."""
    syncing: set[str] = set()
    for line in trace.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, call, rest = match.groups()
        if call in ("fdatasync", "fsync"):
            if log in rest:
                syncing.add(thread)
            if "= 0" in rest and thread in syncing:
                syncing.discard(thread)
                yield Event("synced")
        elif call == "pwrite64" and log in rest:
            yield Event("written")
        elif "HTTP/1.1 20" in rest or "MSA|AA" in rest:
            yield Event("answer")
        elif (" /fhir" in rest and "HTTP/1.1" in rest) or "MSH|" in rest:
            yield Event("request")


def exchanges(found: Iterable[Event]) -> list[list[str]]:
    """Return what happened between each request and its answer."""
    between: list[list[str]] = []
    asked = False
    for event in found:
        if event.kind == "request":
            between.append([])
            asked = True
        elif event.kind == "answer":
            asked = False
        elif asked:
            between[-1].append(event.kind)
    return between


@pytest.fixture(scope="module")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on an SQLite file."""
    folder = tmp_path_factory.mktemp("synced")
    with Hub("--open", seed_demo=False, store=f"sqlite:///{folder}/hub.db") as hub:
        yield hub


@pytest.fixture(scope="module")
def on_server() -> Iterator[tuple[Hub, int]]:
    """A hub on a MongoDB server, and the server's process."""
    with Mongod() as server:
        url = f"mongodb://{server.host}/hub"
        prepare(url)
        with Hub("--open", seed_demo=False, store=url) as hub:
            yield hub, server.process.pid


def ask(hub: Hub, name: str) -> None:
    """Send one request, on a connection of its own, and see it answered."""
    with httpx.Client(base_url=f"{hub.base}/fhir", timeout=60) as client:
        assert REQUESTS[name](client).status_code in (200, 201, 204)


def send(hub: Hub) -> None:
    """Send one message and see it acknowledged."""
    host, port = hub.mllp.split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        connection.sendall(message(1))
        assert b"MSA|AA" in connection.recv(65536)


def watched(pids: list[int], log: str, act: Callable[[], Any]) -> list[str]:
    """Return what happened to the log between the one request that `act` sends and its answer."""
    with attached(pids, *WATCH) as trace:
        act()
        text = Path(trace).read_text(errors="replace")
    found = exchanges(events(text, log))
    assert len(found) == 1, text
    return found[0]


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_follows_the_sync_of_the_file(on_file: Hub, name: str) -> None:
    with httpx.Client(base_url=f"{on_file.base}/fhir", timeout=60) as client:
        client.put("/Basic/1", json={**BASIC, "code": {"text": name}})

    between = watched([on_file.process.pid], "hub.db-wal", lambda: ask(on_file, name))

    assert "written" in between
    assert between[-1] == "synced"


def test_an_acknowledgement_follows_the_sync_of_the_file(on_file: Hub) -> None:
    between = watched([on_file.process.pid], "hub.db-wal", lambda: send(on_file))

    assert "written" in between
    assert between[-1] == "synced"


@pytest.mark.parametrize("name", ["create", "transaction", "delete"])
def test_an_answer_follows_the_sync_of_the_journal(on_server: tuple[Hub, int], name: str) -> None:
    hub, server = on_server
    with httpx.Client(base_url=f"{hub.base}/fhir", timeout=60) as client:
        client.put("/Basic/1", json={**BASIC, "code": {"text": name}})

    between = watched([hub.process.pid, server], "/journal/", lambda: ask(hub, name))

    assert "synced" in between


def test_an_acknowledgement_follows_the_sync_of_the_journal(on_server: tuple[Hub, int]) -> None:
    hub, server = on_server

    assert "synced" in watched([hub.process.pid, server], "/journal/", lambda: send(hub))


def test_an_answer_before_the_sync_would_be_seen() -> None:
    """What the trace of a hub would say that answers too early."""
    trace = (
        '7 read(9<TCP:[a]>, "PUT /fhir/Basic/1 HTTP/1.1", 99) = 26\n'
        '8 pwrite64(4</x/hub.db-wal>, "", 24, 0) = 24\n'
        "8 fdatasync(4</x/hub.db-wal> <unfinished ...>\n"
        '7 write(9<TCP:[a]>, "HTTP/1.1 200 OK", 15) = 15\n'
        "8 <... fdatasync resumed>) = 0\n"
    )

    assert exchanges(events(trace, "hub.db-wal")) == [["written"]]
