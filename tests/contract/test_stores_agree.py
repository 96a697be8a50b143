"""Memory, SQLite, MongoDB and the tree's in-memory reader give the same answers."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.errors import PreconditionFailed
from fhir_server.model import Entry, History, Key, Query, Sort, Version, Write
from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.tree import (
    EVERYTHING,
    And,
    Chain,
    Cond,
    ForEachPatient,
    Has,
    Match,
    Near,
    Node,
    Or,
    Words,
)
from fhir_server.store.explanation import Total
from fhir_server.store.open import Kept
from tests.contract import worlds
from tests.contract.opened import NOW, Open, stores


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


async def _all_back(store: Kept, query: Query) -> list[Version]:
    """Return everything, page by page from the end."""
    found: list[Version] = []
    after = None
    for _ in range(50):
        page = await store.search(replace(query, after=after, back=True))
        assert len(page.versions) <= query.limit
        found = [*page.versions, *found]
        after = page.next
        if after is None:
            return found
    raise AssertionError("the pages have no beginning")


queries = st.builds(
    Query,
    worlds.types,
    worlds.trees | st.sampled_from(worlds.QUESTIONS),
    sort=worlds.sorts,
    limit=st.integers(1, 5),
    now=st.just(NOW),
)


@given(worlds.worlds, st.lists(queries, min_size=2, max_size=6))
@settings(max_examples=120, deadline=None)
def test_searches(empty: Open, world: list[Write], asked: list[Query]) -> None:
    async def run() -> None:
        async with stores(empty) as (memory, disks, clock):
            living: dict[Key, Plain] = {}
            for clock[0], write in enumerate(world):
                [version] = await memory.commit([write])
                assert await disks[0].commit([write]) == [version]
                living.pop(write.key, None)
                if write.body is not None:
                    living[write.key] = Plain(
                        write.key, version.updated, write.entries, write.patients, write.text
                    )
            everything = Plainly(living.values())
            for query in asked:
                expected = {
                    key
                    for key, record in living.items()
                    if key.type == query.type and evaluate(query.where, record, everything, NOW)
                }
                in_memory = await _all(memory, query)
                assert sorted(v.key for v in in_memory) == sorted(expected)
                assert await memory.count(query) == len(expected)
                for disk in disks:
                    assert await _all(disk, query) == in_memory
                    assert await _all_back(disk, query) == in_memory
                    assert await disk.count(query) == len(expected)
                    assert await disk.estimate(query) == Total(len(expected))
                    assert (await disk.explain(query)).matches == len(expected)
            assert await disks[0].check() == []

    asyncio.run(run())


def _orders() -> list[tuple[Sort, ...]]:
    single = [
        Sort(param, descending)
        for param in ("code", "mixed", "date", "none", "_id", "_lastUpdated")
        for descending in (False, True)
    ]
    score = (Words("content", ("血压",)), Words("text", ("a",)))
    away = (Near("near", 31.0, 121.0, 1.0), Near("near", 0.0, 179.0, 1.0))
    measured = [Sort("measured", down, by) for by in (score, away) for down in (False, True)]
    united = [Sort("united", down, among=("date", "mixed", "none")) for down in (False, True)]
    written = [Sort("code", down, written=True) for down in (False, True)]
    several = [*zip(single, single[3:], strict=False), (measured[1], single[0])]
    several += [(united[1], single[0]), (single[2], united[0]), (written[0], single[2])]
    return [(), *((s,) for s in [*single, *measured, *united, *written]), *several]


@pytest.mark.parametrize("where", worlds.QUESTIONS, ids=range(len(worlds.QUESTIONS)))
def test_every_order_pages(empty: Open, where: Node) -> None:
    """The pages of every order, one after the other, are everything exactly once."""

    async def run() -> None:
        async with stores(empty) as (memory, disks, clock):
            writes = worlds.rich(random.Random(7))
            for n in range(0, len(writes), 5):
                clock[0] = n // 10
                for store in (memory, disks[0]):
                    await store.commit(writes[n : n + 5])
            for n, sort in enumerate(_orders()):
                query = Query("Observation", where, sort, limit=3 + n % 5, now=NOW)
                expected = await _all(memory, query)
                assert len(expected) == await memory.count(query) > 2
                assert await _all_back(memory, query) == expected
                for disk in disks:
                    assert await _all(disk, query) == expected
                    assert await _all_back(disk, query) == expected
                    assert await disk.count(query) == len(expected)

    asyncio.run(run())


_STEADY = (EVERYTHING, Match("mixed"), Match("code", (Cond("v", "in", worlds.CODES),)))
"""Predicates that nothing but a record itself can change the truth of."""


@given(
    worlds.worlds,
    st.lists(st.lists(worlds.writes, max_size=3), min_size=6, max_size=12),
    st.builds(
        Query,
        worlds.types,
        st.sampled_from(_STEADY),
        sort=worlds.sorts,
        limit=st.integers(1, 3),
        back=st.booleans(),
    ),
)
@settings(max_examples=60, deadline=None)
def test_what_does_not_change_is_on_one_page(
    empty: Open, world: list[Write], between: list[list[Write]], query: Query
) -> None:
    """Under concurrent writes a resource that did not change appears exactly once, going forward
    and going back."""
    changing = {write.key for writes in between for write in writes}

    async def run() -> None:
        async with stores(empty) as (memory, (disk, *_), clock):
            for store in (memory, disk):
                for clock[0], write in enumerate(world):
                    await store.commit([write])
                whole = await _all(store, replace(query, back=False))
                seen: list[Key] = []
                asked, writes = query, iter(between)
                while True:
                    page = await store.search(asked)
                    keys = [version.key for version in page.versions]
                    seen = [*keys, *seen] if query.back else [*seen, *keys]
                    if page.next is None:
                        break
                    asked = replace(asked, after=page.next)
                    for clock[0], write in enumerate(next(writes, ()), 100):
                        await store.commit([write])
                steady = [version.key for version in whole if version.key not in changing]
                assert [key for key in seen if key not in changing] == steady

    asyncio.run(run())


def _hop(kind: str, where: Node) -> Node:
    match kind:
        case "chain":
            return Chain("ref", "Observation", where)
        case "has":
            return Has("Observation", "ref", where)
        case _:
            known = Or((Match("code"), Match("none")))
            return Chain("ref", "Observation", And((known, Has("Observation", "ref", where))))


@pytest.mark.parametrize("depth", [1, 3, 6, 12])
@pytest.mark.parametrize("kind", ["chain", "has", "both"])
def test_long_chains(empty: Open, kind: str, depth: int) -> None:
    where: Node = Match("code", (Cond("v", "=", "x"),))
    for _ in range(depth):
        where = _hop(kind, where)

    async def run() -> None:
        async with stores(empty) as (memory, disks, _):
            entries = (
                (Entry("ref", f"Observation/{n + 1}"), Entry("code", "x")) for n in range(20)
            )
            writes = [
                Write(Key("Observation", str(n)), b"{}", some) for n, some in enumerate(entries)
            ]
            for store in (memory, disks[0]):
                await store.commit(writes)
            query = Query("Observation", where, limit=50)
            expected = await memory.search(query)
            assert len(expected.versions) >= 20 - depth
            for disk in disks:
                assert (await disk.search(query)).versions == expected.versions

    asyncio.run(run())


@pytest.mark.parametrize("number", [2, 17, 100, 5000])
def test_long_alternatives(empty: Open, number: int) -> None:
    values = tuple(Match("code", (Cond("v", "=", f"c{n}"),)) for n in range(number))
    prefixes = tuple(Match("code", (Cond("v", "prefix", f"c{n}-"),)) for n in range(number))

    async def run() -> None:
        async with stores(empty) as (memory, disks, _):
            writes = [
                Write(Key("Observation", str(n)), b"{}", (Entry("code", f"c{n}"),))
                for n in range(0, 40, 3)
            ]
            for store in (memory, disks[0]):
                await store.commit(writes)
            query = Query("Observation", Or((*values, *prefixes)), limit=50)
            expected = await memory.search(query)
            assert expected.versions
            for disk in disks:
                assert (await disk.search(query)).versions == expected.versions

    asyncio.run(run())


@pytest.mark.parametrize("number", [2, 17, 300])
def test_many_grants(empty: Open, number: int) -> None:
    """Who has hundreds of rules finds what one of them opens, of several patients too."""
    values = (*worlds.CODES, *(f"c{n}" for n in range(number)))
    date = Match("date", (Cond("v", "<", NOW),))
    alternatives = tuple(
        And((ForEachPatient("grant", And((date, Match("code", (Cond("v", "=", v),))))), opened))
        for n, v in enumerate(values)
        for opened in (Match("mixed", (Cond("v", ">", n % 5),)), Match("code"))[: 1 + n % 2]
    )

    async def run() -> None:
        async with stores(empty) as (memory, disks, _):
            writes = worlds.rich(random.Random(3))
            for start in range(0, len(writes), 20):
                for store in (memory, disks[0]):
                    await store.commit(writes[start : start + 20])
            query = Query("Observation", Or(alternatives), limit=50, now=NOW)
            expected = await memory.search(query)
            assert any(len(version.patients) > 1 for version in expected.versions)
            for disk in disks:
                assert (await disk.search(query)).versions == expected.versions
                assert await disk.count(query) == await memory.count(query)

    asyncio.run(run())


_expecting = st.builds(
    lambda write, expect, unless: replace(write, expect=expect, unless=unless),
    worlds.writes,
    st.sampled_from((None, None, 0, 1, 2, 3)),
    st.one_of(st.none(), st.none(), queries),
)
_commits = st.lists(_expecting, min_size=1, max_size=3, unique_by=lambda write: write.key)


_moments = st.none() | st.integers(0, 16)
_histories = st.builds(
    History,
    st.one_of(worlds.writes.map(lambda write: write.key), st.frozensets(worlds.types, min_size=1)),
    since=_moments,
    until=_moments,
    current=_moments,
    ascending=st.booleans(),
    limit=st.integers(1, 5),
)


async def _past(store: Kept, history: History) -> list[Version]:
    found: list[Version] = []
    while versions := await store.history(history):
        assert len(versions) <= history.limit
        found += versions
        history = replace(history, after=(versions[-1].key, versions[-1].vid))
    return found


@given(st.lists(_commits, max_size=10), st.lists(_histories, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_commits_history_and_changes(
    empty: Open, commits: list[list[Write]], histories: list[History]
) -> None:
    async def run() -> None:
        async with stores(empty) as (memory, (disk, *_), clock):
            ticks = count(0, 3)
            for commit in commits:
                clock[0] = next(ticks) // 2
                assert await _outcome(disk, commit) == await _outcome(memory, commit)
            keys = [Key("Nowhere", "x"), *{write.key for commit in commits for write in commit}]
            assert await disk.vids(keys) == await memory.vids(keys)
            for key in keys:
                for vid in (None, 0, 1, 2, 9):
                    assert await disk.read(key, vid) == await memory.read(key, vid)
            for history in histories:
                expected = await _past(memory, history)
                assert await _past(disk, history) == expected
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
def test_waiting_commits_are_decided_in_their_order(
    empty: Open, commits: list[list[Write]]
) -> None:
    """Commits that share one fsync have the outcomes that they have one by one."""

    async def run() -> None:
        async with stores(empty) as (memory, (disk, *_), _):
            expected = [await _outcome(memory, commit) for commit in commits]
            found = await asyncio.gather(*(_outcome(disk, commit) for commit in commits))
            assert found == expected
            assert await disk.check() == []

    asyncio.run(run())


def test_unknown_names_find_nothing(empty: Open) -> None:
    async def run() -> None:
        async with stores(empty) as (memory, (disk, *_), _):
            for store in (memory, disk):
                assert (await store.search(Query("Nothing", EVERYTHING))).versions == ()
                assert await store.read(Key("Nothing", "1")) is None
                with_none = await store.commit([])
                assert with_none == []

    asyncio.run(run())
