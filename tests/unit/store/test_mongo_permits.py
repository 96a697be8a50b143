"""Whom grants permit is kept between queries on MongoDB, and is right for each of them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.authz.grant import active
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    ForEachPatient,
    Has,
    Match,
    Node,
    Not,
    Or,
    both,
)
from fhir_server.store.memory import MemoryStore
from fhir_server.store.mongo import permits
from fhir_server.store.mongo.store import MongoStore
from tests.mongod import Mongo

Run = Callable[..., None]


def _is(param: str, value: str) -> Match:
    return Match(param, (Cond("v", "=", value),))


_CLINIC = _is("recipient", "clinic")
_PERMITTED = ForEachPatient("grant", active(_CLINIC, _is("rule", "r")))
_QUERY = Query("Observation", _PERMITTED, limit=50, now=100)


def _grant(
    patient: str,
    start: int = 0,
    until: int = 1000,
    rule: str = "r",
    to: str = "clinic",
    **more: Any,
) -> Write:
    entries = (
        Entry("recipient", to),
        Entry("rule", rule),
        Entry("from", start),
        Entry("until", until),
        *(Entry("resource", f"Observation/{patient}") for _ in range(rule == "package")),
    )
    key = Key("grant", f"{patient}-{rule}-{more.pop('part', 0)}")
    return Write(key, b"{}", entries, patients=(patient,), **more)


def _gone(write: Write) -> Write:
    return replace(write, body=None, entries=(), patients=())


def _about(*patients: str, status: str = "final") -> Write:
    entries = (Entry("status", status),)
    return Write(
        Key("Observation", "-".join(patients) or "none"), b"{}", entries, patients=patients
    )


async def _found(store: MongoStore, query: Query = _QUERY) -> set[str]:
    page = await store.search(query)
    assert await store.count(query) == len(page.versions)
    assert await store.search(query) == page
    return {version.key.id for version in page.versions}


@pytest.fixture
def url(mongo: Mongo) -> str:
    return mongo.url("permits")


@pytest.fixture
def with_store(url: str) -> Run:
    """Run a coroutine with a store, and close the store."""

    def run(body: Callable[[MongoStore], Coroutine[Any, Any, None]], many: int = 1000) -> None:
        async def inner() -> None:
            store = MongoStore(url, lambda: 1000, many=many)
            try:
                await body(store)
            finally:
                await store.close()

        asyncio.run(inner())

    return run


def test_the_next_query_sees_a_grant_that_comes_and_one_that_is_closed(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a")])
        before = await _found(store)
        await store.commit([_grant("b")])
        more = await _found(store)
        await store.commit([_grant("a", until=50)])
        less = await _found(store)
        await store.commit([_gone(_grant("b"))])

        assert (before, more, less) == ({"a"}, {"a", "b"}, {"b"})
        assert await _found(store) == set()

    with_store(body)


def test_a_grant_that_another_process_writes_is_seen(url: str, with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        other = MongoStore(url, lambda: 1000)
        await store.commit([_about("a"), _about("b"), _grant("a")])
        await _found(store)
        await other.commit([_grant("b")])
        more = await _found(store)
        await other.commit([_grant("a", until=50)])
        less = await _found(store)
        await other.commit([_gone(_grant("b"))])
        await other.close()

        assert (more, less) == ({"a", "b"}, {"b"})
        assert await _found(store) == set()

    with_store(body)


def test_a_grant_that_changes_hands_is_lost_by_the_one_and_found_by_the_other(
    with_store: Run,
) -> None:
    other = replace(_QUERY, where=ForEachPatient("grant", active(_is("recipient", "other"))))

    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _grant("a")])
        before = await _found(store), await _found(store, other)
        await store.commit([_grant("a", to="other")])

        assert before == ({"a"}, set())
        assert (await _found(store), await _found(store, other)) == (set(), {"a"})

    with_store(body)


def test_a_grant_that_is_found_by_other_entries_is_seen(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _grant("a")])
        before = await _found(store)
        await store.reindex([replace(_grant("a", to="other"), expect=1)])

        assert before == {"a"}
        assert await _found(store) == set()

    with_store(body)


def test_a_grant_begins_and_ends_at_its_times(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a", 0, 200), _grant("b", 150, 300)])
        times = (100, 149, 150, 151, 199, 200, 201, 299, 300, 150, 100)
        found = [await _found(store, replace(_QUERY, now=now)) for now in times]

        a, b = {"a"}, {"b"}
        assert found == [a, a, a | b, a | b, a | b, b, b, b, set(), a | b, a]

    with_store(body)


def test_a_record_of_several_patients_needs_a_grant_of_each(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("a", "b"), _about("a", "c"), _about()])
        await store.commit([_grant("a"), _grant("b")])

        assert await _found(store) == {"a", "a-b"}

    with_store(body)


def test_what_is_not_permitted_is_the_rest(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("a", "c"), _about(), _grant("a")])

        assert await _found(store, replace(_QUERY, where=Not(_PERMITTED))) == {"a-c", "none"}

    with_store(body)


def test_a_package_opens_what_it_names_until_it_is_closed(with_store: Run) -> None:
    named = Has("grant", "resource", active(_CLINIC))
    query = replace(_QUERY, where=named)

    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a", rule="package"), _grant("b")])
        before = await _found(store, query)
        await store.commit([_grant("a", rule="package", until=50)])

        assert before == {"a"}
        assert await _found(store, query) == set()

    with_store(body)


def test_what_rolls_back_is_not_kept(with_store: Run) -> None:
    """A conditional write asks before its transaction is committed."""

    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("b"), _grant("a")])
        await _found(store)
        await store.commit([_grant("b"), replace(_about("d"), unless=replace(_QUERY, now=2000))])

        assert await _found(store) == {"a", "b"}

    with_store(body)


@pytest.mark.parametrize("many", [0, 1, 1000])
def test_grants_that_are_too_many_to_be_kept_are_asked(
    with_store: Run, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(permits, "MOST", 1)

    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _about("b"), _about("c"), _grant("a"), _grant("b")])

        assert await _found(store) == {"a", "b"}

    with_store(body, many=many)


def test_a_set_that_costs_much_is_made_after_some_pages(url: str, with_store: Run) -> None:
    """The grants are gone from the collection without a stamp: whoever asked them would find
    nothing."""

    async def body(store: MongoStore) -> None:
        await store.commit([_about("a"), _grant("a"), _grant("b"), _grant("c")])
        for _ in range(30):
            await store.search(_QUERY)
        with MongoClient[Any](url) as client:
            client.get_default_database()["record"].delete_many({"t": "grant"})
        page = await store.search(_QUERY)

        assert [version.key.id for version in page.versions] == ["a"]

    with_store(body, many=2)


def _rules(number: int) -> Node:
    """Hundreds of rules, of which each opens what has one of three statuses."""
    return Or(
        (
            _is("_owner", "clinic"),
            *(
                And(
                    (
                        ForEachPatient("grant", active(_CLINIC, _is("rule", f"r{n}"))),
                        _is("status", ("final", "draft", "amended")[n % 3]),
                    )
                )
                for n in range(number)
            ),
        )
    )


def test_what_hundreds_of_rules_say_is_told_without_asking_for_each(with_store: Run) -> None:
    """Rules of many codes, one of them denied, are told by the entries of the candidates."""
    codes = Or(tuple(Match("status", (Cond("v", "prefix", f"code-{n}-"),)) for n in range(40)))
    rules = tuple(
        both(
            ForEachPatient("grant", active(_CLINIC, _is("rule", f"r{n}"))),
            codes,
            Not(_is("status", f"code-{n}-denied")),
        )
        for n in range(30)
    )
    writes = [
        *(_about(f"p{n}", status=f"code-{n}-{'x' if n % 3 else 'denied'}") for n in range(30)),
        *(_grant(f"p{n}", rule=f"r{n}") for n in range(0, 30, 2)),
    ]

    async def body(store: MongoStore) -> None:
        await store.commit(writes)
        expected = {f"p{n}" for n in range(0, 30, 2) if n % 3}
        assert await _found(store, replace(_QUERY, where=Or(rules))) == expected

    with_store(body)


def test_rules_behind_many_alternatives_are_gathered_too(with_store: Run) -> None:
    """Each of twenty chains leads to what hundreds of rules open."""
    chains = tuple(Chain(f"focus{n}", "Observation", _rules(40)) for n in range(20))
    query = Query("Task", Or(chains), limit=50, now=100)
    tasks = [
        Write(Key("Task", f"t{n}"), b"{}", (Entry(f"focus{n}", f"Observation/p{n}"),))
        for n in range(20)
    ]

    async def body(store: MongoStore) -> None:
        await store.commit(tasks)
        await store.commit([_about(f"p{n}") for n in range(20)])
        await store.commit([_grant(f"p{n}", rule=f"r{n}") for n in range(20)])

        assert await _found(store, query) == {f"t{n}" for n in range(0, 20, 3)}

    with_store(body)


@pytest.mark.parametrize("many", [0, 1, 1000])
@pytest.mark.parametrize("number", [16, 17, 400])
def test_who_has_hundreds_of_rules_finds_what_they_open(
    with_store: Run, number: int, many: int
) -> None:
    """Of several patients, the same rule has to be granted by each."""
    query = replace(_QUERY, where=_rules(number))
    writes = [
        *(_about(f"p{n}", status=status) for n, status in enumerate(("final", "draft") * 20)),
        *(_about(f"p{n}", f"p{n + 1}", status="final") for n in range(0, 20, 3)),
        *(_grant(f"p{n}", rule=f"r{n}", until=1000 if n % 5 else 50) for n in range(40)),
        *(_grant(f"p{n + 1}", rule=f"r{n}") for n in range(0, 40, 2)),
    ]

    async def body(store: MongoStore) -> None:
        memory = MemoryStore(lambda: 1000)
        await memory.commit(writes)
        await store.commit(writes)
        expected = {v.key.id for v in (await memory.search(query)).versions}
        assert any("-" in id for id in expected)
        for _ in range(15):
            assert await _found(store, query) == expected
        await store.commit([_gone(write) for write in writes if write.key.type == "grant"])
        assert await _found(store, query) == set()

    with_store(body, many=many)
