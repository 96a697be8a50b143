"""The stores of the contract, opened empty: one in memory, and some on one disk."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from fhir_server.store.memory import MemoryStore
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.open import Kept
from fhir_server.store.sqlite.runner import Tuning
from fhir_server.store.sqlite.store import SQLiteStore
from tests.mongod import Mongo

NOW = 6
TUNINGS = (Tuning(0, 0), Tuning(0, 20), Tuning(1, 20), Tuning())
PLANS = ((0, 0.0), (1, 0.2), (1000, 0.2))


Open = Callable[[Callable[[], int]], AbstractContextManager[Sequence[Kept]]]
"""Opens one empty store on disk, under a clock, in several ways: each is tuned otherwise."""


def on_mongo(mongo: Mongo) -> Open:
    """Return what opens stores on MongoDB."""

    @contextmanager
    def opened(clock: Callable[[], int]) -> Iterator[Sequence[Kept]]:
        url = mongo.url("contract")
        yield [MongoStore(url, clock, many=many, patience=patience) for many, patience in PLANS]

    return opened


@contextmanager
def on_sqlite(clock: Callable[[], int]) -> Iterator[Sequence[Kept]]:
    """Open stores on one SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "hub.db")
        yield [SQLiteStore(path, clock, tuning=tuning) for tuning in TUNINGS]


@asynccontextmanager
async def stores(empty: Open) -> AsyncIterator[tuple[MemoryStore, Sequence[Kept], list[int]]]:
    """A store in memory and some on one disk, under the test's clock."""
    clock = [0]
    with empty(lambda: clock[0]) as disks:
        try:
            yield MemoryStore(lambda: clock[0]), disks, clock
        finally:
            for disk in disks:
                await disk.close()
