"""Whom grants permit is kept between queries, and is right for each of them."""

import random
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace

import pytest

from fhir_server.authz.grant import active
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import Cond, ForEachPatient, Match
from fhir_server.store.memory import MemoryStore
from fhir_server.store.sqlite import permits
from fhir_server.store.sqlite.search import Search
from fhir_server.store.sqlite.store import SQLiteStore

With = Callable[..., None]

_RULE = Match("rule", (Cond("v", "=", "r"),))
_QUERY = Query("Observation", ForEachPatient("grant", active(_RULE)), limit=50, now=100)


def _grant(patient: str, start: int = 0, until: int = 1000, rule: str = "r") -> Write:
    entries = (Entry("rule", rule), Entry("from", start), Entry("until", until))
    return Write(Key("grant", patient), b"{}", entries, patients=(patient,))


def _about(*patients: str) -> Write:
    return Write(Key("Observation", "-".join(patients)), b"{}", patients=patients)


async def _found(store: SQLiteStore, query: Query = _QUERY) -> set[str]:
    page = await store.search(query)
    assert await store.count(query) == len(page.versions)
    assert await store.search(query) == page
    return {version.key.id for version in page.versions}


def test_the_next_query_sees_a_grant_that_comes_and_one_that_is_closed(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a")])
        before = await _found(store)
        await store.commit([_grant("b")])
        more = await _found(store)
        await store.commit([_grant("a", until=50)])
        less = await _found(store)
        await store.commit([replace(_grant("b"), body=None, entries=())])

        assert (before, more, less) == ({"a"}, {"a", "b"}, {"b"})
        assert await _found(store) == set()

    with_store(body)


def test_a_grant_that_another_process_writes_is_seen(path: str, with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        other = SQLiteStore(path, lambda: 1000)
        await store.commit([_about("a"), _about("b"), _grant("a")])
        await _found(store)
        await other.commit([_grant("b"), _grant("a", until=50)])
        await other.close()

        assert await _found(store) == {"b"}

    with_store(body)


def test_a_grant_begins_and_ends_at_its_times(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a", 0, 200), _grant("b", 150, 300)])
        times = (100, 149, 150, 151, 199, 200, 201, 299, 300, 150, 100)
        found = [await _found(store, replace(_QUERY, now=now)) for now in times]

        a, b = {"a"}, {"b"}
        assert found == [a, a, a | b, a | b, a | b, b, b, b, set(), a | b, a]

    with_store(body)


def test_a_record_of_several_patients_needs_a_grant_of_each(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("a", "b"), _about("a", "c"), _about()])
        await store.commit([_grant("a"), _grant("b")])

        assert await _found(store) == {"a", "a-b"}

    with_store(body)


def test_what_rolls_back_is_not_kept(with_store: With) -> None:
    """A conditional write asks before its transaction is committed."""

    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a")])
        await _found(store)
        await store.commit([_grant("b"), replace(_about("d"), unless=replace(_QUERY, now=2000))])

        assert await _found(store) == {"a", "b"}

    with_store(body)


def test_too_many_patients_are_not_kept(with_store: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "MOST", 1)

    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("b"), _about("c"), _grant("a"), _grant("b")])

        assert await _found(store) == {"a", "b"}

    with_store(body)


def test_pages_ask_the_set_once_enough_have_gone_without(path: str, with_store: With) -> None:
    """The grants' entries are gone from the file without a version: whoever asked them would find
    nothing."""

    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _grant("a")])
        for _ in range(50):
            await store.search(_QUERY)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM record WHERE ref LIKE 'grant/%'")
            connection.commit()
        page = await store.search(_QUERY)

        assert [version.key.id for version in page.versions] == ["a"]

    with_store(body)


def test_grants_of_nobody_do_not_hide_others_that_end(
    with_store: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permits, "_TURNED", 1)

    async def body(store: SQLiteStore) -> None:
        nobody = replace(_grant("nobody", until=110), patients=())
        await store.commit([_about("a"), _about("b"), nobody])
        await store.commit([_grant("a", until=120), _grant("b", until=130)])
        before = await _found(store)

        assert (before, await _found(store, replace(_QUERY, now=200))) == ({"a", "b"}, set())

    with_store(body)


@pytest.mark.parametrize(("far", "turned"), [(2000, 500), (3, 500), (2000, 1)])
def test_it_follows_whatever_happens(
    with_store: With, monkeypatch: pytest.MonkeyPatch, far: int, turned: int
) -> None:
    """Grants come, change, end, go, are of several patients; the time goes on and back."""
    monkeypatch.setattr(permits, "_FAR", far)
    monkeypatch.setattr(permits, "_TURNED", turned)
    chance, names = random.Random(far + turned), "abcdef"

    async def body(store: SQLiteStore) -> None:
        memory = MemoryStore(lambda: 1000)
        about = [_about(name) for name in names]
        for each in (store, memory):
            await each.commit(about)
        for _ in range(300):
            start = chance.randrange(100)
            write = _grant(chance.choice(names), start, start + chance.randrange(100))
            write = replace(write, key=Key("grant", str(chance.randrange(8))))
            match chance.randrange(6):
                case 0:
                    write = replace(write, body=None, entries=())
                case 1:
                    write = replace(write, patients=tuple(chance.sample(names, 2)))
                case 2:
                    write = _about(chance.choice(names))
            for each in (store, memory):
                await each.commit([write])
            query = replace(_QUERY, now=chance.randrange(220))
            expected = {each.key.id for each in (await memory.search(query)).versions}
            assert await _found(store, query) == expected

    with_store(body)


def test_a_change_asks_about_its_patients_alone(
    with_store: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def permitted(self: Search, node: ForEachPatient, most: int) -> Iterable[int]:
        made.append(most)
        return whole(self, node, most)

    whole = Search.permitted
    monkeypatch.setattr(Search, "permitted", permitted)

    async def body(store: SQLiteStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a", 0, 300), _grant("b", 150, 400)])
        times = (100, 200, 300, 100, 500)
        found = [await _found(store, replace(_QUERY, now=now)) for now in times]
        await store.commit([_grant("a")])

        assert found == [{"a"}, {"a", "b"}, {"b"}, {"a"}, set()]
        assert await _found(store, replace(_QUERY, now=500)) == {"a"}
        assert len(made) == 1

    with_store(body)
