"""Memory, SQLite and the tree's in-memory reader, record by record, give the same answers."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.errors import PreconditionFailed
from fhir_server.model import Key, Query, Version, Write
from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.memory import MemoryStore
from fhir_server.store.open import Kept
from fhir_server.store.sqlite.search import Tuning
from fhir_server.store.sqlite.store import SQLiteStore
from tests.contract import worlds

NOW = 6
_tunings = st.builds(Tuning, st.sampled_from((0, 1, 200)), st.sampled_from((0, 40)))


@asynccontextmanager
async def _stores(tuning: Tuning) -> AsyncIterator[tuple[MemoryStore, SQLiteStore, list[int]]]:
    """Two empty stores under one clock that the test sets."""
    clock = [0]
    with tempfile.TemporaryDirectory() as folder:
        disk = SQLiteStore(str(Path(folder) / "hub.db"), lambda: clock[0], tuning=tuning)
        try:
            yield MemoryStore(lambda: clock[0]), disk, clock
        finally:
            await disk.close()


async def _outcome(store: Kept, writes: Sequence[Write]) -> list[Version] | tuple[type, Key | None]:
    try:
        return await store.commit(writes)
    except PreconditionFailed as refusal:
        return type(refusal), refusal.key


async def _all(store: Kept, query: Query) -> list[Version]:
    found: list[Version] = []
    after = None
    for _ in range(50):
        page = await store.search(replace(query, after=after))
        assert len(page.versions) <= query.limit
        found += page.versions
        after = page.next
        if after is None:
            return found
    raise AssertionError("the pages have no end")


queries = st.builds(
    Query,
    worlds.types,
    worlds.trees,
    sort=worlds.sorts,
    limit=st.integers(1, 5),
    now=st.just(NOW),
)


@given(worlds.worlds, st.lists(queries, min_size=1, max_size=4), _tunings)
@settings(max_examples=120, deadline=None)
def test_searches(world: list[Write], asked: list[Query], tuning: Tuning) -> None:
    async def run() -> None:
        async with _stores(tuning) as (memory, disk, clock):
            living: dict[Key, Plain] = {}
            for clock[0], write in enumerate(world):
                [version] = await memory.commit([write])
                assert await disk.commit([write]) == [version]
                living.pop(write.key, None)
                if write.body is not None:
                    living[write.key] = Plain(
                        write.key, version.updated, write.entries, write.patients
                    )
            everything = Plainly(living.values())
            for query in asked:
                expected = {
                    key
                    for key, record in living.items()
                    if key.type == query.type and evaluate(query.where, record, everything, NOW)
                }
                in_memory, on_disk = await _all(memory, query), await _all(disk, query)
                assert [v.key for v in on_disk] == [v.key for v in in_memory]
                assert on_disk == in_memory
                assert sorted(v.key for v in in_memory) == sorted(expected)
                assert await memory.count(query) == await disk.count(query) == len(expected)
            assert await disk.check() == []

    asyncio.run(run())


_expecting = st.builds(
    lambda write, expect, unless: replace(write, expect=expect, unless=unless),
    worlds.writes,
    st.sampled_from((None, None, 0, 1, 2, 3)),
    st.one_of(st.none(), st.none(), queries),
)
_commits = st.lists(_expecting, min_size=1, max_size=3, unique_by=lambda write: write.key)


@given(st.lists(_commits, max_size=10), _tunings)
@settings(max_examples=80, deadline=None)
def test_commits_history_and_changes(commits: list[list[Write]], tuning: Tuning) -> None:
    async def run() -> None:
        async with _stores(tuning) as (memory, disk, clock):
            ticks = count(0, 3)
            for commit in commits:
                clock[0] = next(ticks) // 2
                assert await _outcome(disk, commit) == await _outcome(memory, commit)
            for key in {write.key for commit in commits for write in commit}:
                for vid in (None, 0, 1, 2, 9):
                    assert await disk.read(key, vid) == await memory.read(key, vid)
                for limit, before in ((2, None), (9, 3), (9, 0)):
                    expected = await memory.history(key, limit, before)
                    assert await disk.history(key, limit, before) == expected
            for after, limit in ((0, 100), (1, 2), (100, 5)):
                assert await disk.changes(after, limit) == await memory.changes(after, limit)
            assert (await disk.stats()).records == (await memory.stats()).records
            for type in (None, "Patient"):
                on_disk = {v.key: v async for v in disk.scan(type)}
                assert on_disk == {v.key: v async for v in memory.scan(type)}
            assert await disk.check() == []

    asyncio.run(run())


@given(st.lists(_commits, min_size=2, max_size=12))
@settings(max_examples=60, deadline=None)
def test_waiting_commits_are_decided_in_their_order(commits: list[list[Write]]) -> None:
    """Commits that share one fsync have the outcomes that they have one by one."""

    async def run() -> None:
        async with _stores(Tuning()) as (memory, disk, _):
            expected = [await _outcome(memory, commit) for commit in commits]
            found = await asyncio.gather(*(_outcome(disk, commit) for commit in commits))
            assert found == expected
            assert await disk.check() == []

    asyncio.run(run())


def test_unknown_names_find_nothing() -> None:
    async def run() -> None:
        async with _stores(Tuning()) as (memory, disk, _):
            for store in (memory, disk):
                assert (await store.search(Query("Nothing", EVERYTHING))).versions == ()
                assert await store.read(Key("Nothing", "1")) is None
                with_none = await store.commit([])
                assert with_none == []

    asyncio.run(run())
