"""MongoDB's servers fail under load: nothing acknowledged is lost, and all recovers by itself."""

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from pymongo.errors import PyMongoError

from fhir_server.errors import Busy
from fhir_server.model import History, Key, Query, Write
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.open import open_store
from tests.crash.test_kill import examine, start
from tests.mongod import Mongod, replica_set

_PATIENCE = 90


class Load:
    """Two processes that write to a store, and what was acknowledged to them."""

    def __init__(self, url: str) -> None:
        """Start them."""
        self.lines: list[str] = []
        self._writers = [start(url, f"w{n}") for n in range(2)]
        self._ears = [threading.Thread(target=self._hear, args=(w,)) for w in self._writers]
        for ear in self._ears:
            ear.start()

    def _hear(self, writer: "subprocess.Popen[str]") -> None:
        assert writer.stdout is not None
        self.lines.extend(writer.stdout)

    def progress(self, commits: int = 60) -> None:
        """Wait until so many more commits are acknowledged."""
        wanted, end = len(self.lines) + commits, time.monotonic() + _PATIENCE
        while len(self.lines) < wanted:
            assert time.monotonic() < end, f"no progress after {len(self.lines)} commits"
            assert all(writer.poll() is None for writer in self._writers)
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the writers."""
        for writer in self._writers:
            writer.kill()
        for ear, writer in zip(self._ears, self._writers, strict=True):
            ear.join()
            writer.wait()
            assert writer.stdout is not None
            writer.stdout.close()


@contextmanager
def load(url: str) -> Iterator[Load]:
    """Write for as long as the block runs."""
    running = Load(url)
    try:
        yield running
    finally:
        running.stop()


def _kill(member: Mongod) -> None:
    member.kill()
    member.start()


def _freeze(member: Mongod) -> None:
    member.freeze()
    time.sleep(15)  # longer than an election takes: the others go on without it
    member.thaw()


def _step_down(member: Mongod) -> None:
    with member.client() as client:
        try:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)
        except PyMongoError:  # the others have not caught up: nothing happened
            return


def _primary(members: Sequence[Mongod]) -> Mongod:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for member in members:
            with member.client() as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return member
        time.sleep(0.1)
    raise AssertionError("no member becomes primary")


def test_a_killed_server_loses_nothing() -> None:
    """The one server is killed under load and started again."""
    with replica_set(1) as (url, [server]):
        open_and_close(url)
        with load(url) as running:
            running.progress()
            _kill(server)
            running.progress()

        asyncio.run(examine(url, running.lines))


@pytest.mark.proof
@pytest.mark.parametrize("fault", [_kill, _freeze, _step_down])
def test_a_lost_primary_loses_nothing(fault: Callable[[Mongod], None]) -> None:
    """The primary of three is killed, cut off or told to step down, three times under load."""
    with replica_set(3) as (url, members):
        open_and_close(url)
        with load(url) as running:
            for _ in range(3):
                running.progress()
                fault(_primary(members))
                running.progress()
            running.progress()

        asyncio.run(examine(url, running.lines))


@pytest.mark.proof
def test_a_lost_secondary_stops_nobody() -> None:
    """With two of three a commit is on most members; with one it is Busy, until one is back."""
    with replica_set(3) as (url, members):
        open_and_close(url)
        others = [member for member in members if member is not _primary(members)]
        with load(url) as running:
            running.progress()
            others[0].kill()
            running.progress()
            others[1].kill()
            time.sleep(15)  # the last one notices that it is alone, and steps down
            others[1].start()
            running.progress()
            others[0].start()
            running.progress()

        asyncio.run(examine(url, running.lines))


def open_and_close(url: str) -> None:
    """Make a store ready, as its first user does."""
    asyncio.run(_open_and_close(url))


async def _open_and_close(url: str) -> None:
    await open_store(url, lambda: 0).close()


def test_a_store_without_its_server_is_busy() -> None:
    """Reads, searches and commits are a 503 while no server answers, and go on when it does."""

    async def run() -> None:
        with replica_set(1) as (url, [server]):
            store = open_store(f"{url}?serverSelectionTimeoutMS=300", lambda: 0)
            key = Key("Basic", "1")
            await store.commit([Write(key, b"{}")])
            server.kill()
            for asked in (
                store.read(key),
                store.search(Query("Basic", EVERYTHING)),
                store.count(Query("Basic", EVERYTHING)),
                store.history(History(key, limit=1)),
                store.changes(0, 1),
                store.commit([Write(key, b"{}", expect=1)]),
            ):
                with pytest.raises(Busy):
                    await asked
            server.start()
            for _ in range(100):
                try:
                    found = await store.commit([Write(key, b"{}")])
                    break
                except Busy:
                    continue
            assert found[0].vid == 2
            await store.close()

    asyncio.run(run())
