"""Disks that are full, read-only, failing, slow, and files that others hold: 503, and it passes.

Nothing that was acknowledged is lost, and nothing needs a restart.
"""

import asyncio
import os
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from fhir_server.bench.hub import Hub
from fhir_server.fhirjson import resource
from fhir_server.store.mongo.schema import prepare
from fhir_server.store.open import open_store
from fhir_server.store.sqlite.lock import FileLock
from tests.crash.asking import PARTS, transaction, turns
from tests.crash.test_messages import message, patients_of
from tests.crash.tracing import FILE, attached
from tests.mongod import Mongod

FAULTS = {
    "a full disk": "pwrite64:error=ENOSPC",
    "a read-only disk": "pwrite64:error=EROFS",
    "a disk that fails to write": "pwrite64:error=EIO",
    "a disk that fails to sync": "fdatasync,fsync:error=EIO",
}


class Client:
    """Writes transactions one after the other, and remembers which were acknowledged, which were
    refused, and of which the answer said that it is not known."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.kept: set[str] = set()
        self.refused: set[str] = set()
        self.untold: set[str] = set()
        self._http = httpx.Client(base_url=f"{hub.base}/fhir", timeout=60)

    def write(self, name: str) -> httpx.Response:
        """Send one transaction; it is answered, and with 200 or 503."""
        answer = self._http.post("/", json=transaction(name, 0))
        assert answer.status_code in (200, 503), answer.text
        (self.kept if answer.status_code == 200 else self.refused).add(name)
        if "does not tell" in answer.text:
            self.untold.add(name)
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of a hub on an SQLite file."""
    with served(f"sqlite:///{tmp_path}/hub.db") as found:
        yield found


@contextmanager
def served(url: str) -> Iterator[Client]:
    """A client of a hub on a store."""
    with Hub("--open", seed_demo=False, store=url) as hub:
        client = Client(hub)
        try:
            yield client
        finally:
            client.close()


def judge(client: Client) -> None:
    """Kill the hub, and hold the store against what was acknowledged."""
    client.hub.kill()
    kept = asyncio.run(_kept(client.hub.store))
    there = {name for name in client.kept | client.untold if f"{name}-{PARTS[0]}" in kept}
    assert there >= client.kept
    assert set(kept) == {f"{name}-{part}" for name in there for part in PARTS}


async def _kept(url: str) -> dict[str, int]:
    store = open_store(url, lambda: 0)
    try:
        assert await store.check() == []
        return turns([resource(version) async for version in store.scan("Basic")])
    finally:
        await store.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_disk_is_a_503_and_passes(client: Client, fault: str) -> None:
    client.write("before")
    inject = ("-e", f"trace={FILE}", "-e", f"inject={FAULTS[fault]}")
    with attached(client.hub.process.pid, *inject):
        answers = [client.write(f"amid-{n}") for n in range(5)]
    client.write("after")

    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert client.kept == {"before", "after"}
    judge(client)


def test_a_full_disk_is_an_ar_and_passes(client: Client) -> None:
    """A sender of HL7 v2 is told to send again later, and is taken at its word when it does."""
    inject = ("-e", f"trace={FILE}", "-e", "inject=pwrite64:error=ENOSPC")
    host, port = client.hub.mllp.split(":")
    with socket.create_connection((host, int(port)), 60) as sender:
        with attached(client.hub.process.pid, *inject):
            sender.sendall(message(1))
            amid = sender.recv(65536)
        sender.sendall(message(1))
        after = sender.recv(65536)

    assert b"MSA|AR|K1" in amid
    assert b"MSA|AA|K1" in after
    assert asyncio.run(patients_of(client.hub, [1])) == {1: 1}


def test_a_disk_that_comes_and_goes_loses_nothing(client: Client) -> None:
    """Every third write fails: of each transaction all is there or nothing is."""
    inject = ("-e", f"trace={FILE}", "-e", "inject=pwrite64:error=ENOSPC:when=40+17")
    with attached(client.hub.process.pid, *inject):
        for number in range(40):
            client.write(f"amid-{number}")

    assert client.kept
    assert client.refused
    judge(client)


def test_a_slow_disk_is_waited_for_together(client: Client) -> None:
    """Of many writes that wait for a sync, most share the next one."""

    async def write(number: int) -> int:
        async with httpx.AsyncClient(base_url=f"{client.hub.base}/fhir", timeout=60) as http:
            answer = await http.post("/", json=transaction(f"slow-{number}", 0))
            client.kept.add(f"slow-{number}")
            return answer.status_code

    async def run() -> list[int]:
        return await asyncio.gather(*(write(number) for number in range(24)))

    inject = ("-e", f"trace={FILE}", "-e", "inject=fdatasync:delay_enter=200000")
    with attached(client.hub.process.pid, *inject) as trace:
        answers = asyncio.run(run())
        syncs = trace.read_text().count("fdatasync(")

    assert answers == [200] * 24
    assert 0 < syncs < 12
    judge(client)


def test_a_locked_file_is_a_503_and_passes(client: Client) -> None:
    """Another program writes to the file, and takes its time."""
    path = client.hub.store.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        answer = client.write("amid")
    client.write("after")

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert client.kept == {"after"}
    judge(client)


def test_a_process_that_hangs_on_the_file_is_a_503_and_passes(client: Client) -> None:
    path = client.hub.store.removeprefix("sqlite:///")
    with closing(FileLock(path, 1)) as lock, lock:
        answer = client.write("amid")
    client.write("after")

    assert (answer.status_code, client.kept) == (503, {"after"})
    judge(client)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own; skips where none can be mounted."""
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder))
    if os.geteuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError


def test_a_disk_that_is_really_full_is_a_503_and_passes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk, served(f"sqlite:///{disk}/hub.db") as client:
        client.write("before")
        ballast = fill(disk)
        answers = [client.write(f"amid-{n}") for n in range(60)]
        ballast.unlink()
        client.write("after")

        assert answers[-1].status_code == 503
        assert client.kept >= {"before", "after"}
        judge(client)


def test_a_read_only_file_is_refused_at_start(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        url = f"sqlite:///{disk}/hub.db"
        asyncio.run(_kept(url))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        with pytest.raises(ValueError, match=r"cannot be opened: .*Read-only file system"):
            open_store(url, lambda: 0)


@pytest.mark.proof
def test_a_full_disk_of_mongodb_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends itself when it cannot write; with room, it and the hub go on."""
    with small_disk(tmp_path / "disk", 500) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with Mongod() as server:
            monkeypatch.setattr(tempfile, "tempdir", None)
            url = f"mongodb://{server.host}/hub"
            prepare(url)
            with served(f"{url}?serverSelectionTimeoutMS=500") as client:
                client.write("before")
                ballast = fill(disk)
                number = 0
                while not client.refused and number < 3000:
                    client.write(f"amid-{number}")
                    number += 1
                server.kill()
                ballast.unlink()
                server.start()
                while client.write(f"after-{number}").status_code != 200:
                    number += 1

                assert client.refused
                judge(client)


@pytest.mark.proof
def test_a_slow_disk_of_mongodb_is_waited_for() -> None:
    with Mongod() as server:
        url = f"mongodb://{server.host}/hub"
        prepare(url)
        inject = ("-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=300000")
        with served(url) as client, attached(server.process.pid, *inject):
            answers = [client.write(f"slow-{number}") for number in range(5)]

            assert [answer.status_code for answer in answers] == [200] * 5
            judge(client)
