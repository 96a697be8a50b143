"""What only the store on MongoDB does. That it agrees with the others is tests/contract."""

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from fhir_server.errors import Busy, PreconditionFailed, TooCostly, TooLarge, Unprocessable
from fhir_server.model import Entry, History, Key, Query, Sort, Write
from fhir_server.search.tree import EVERYTHING, Chain, Cond, Has, Match
from fhir_server.store.mongo import faults, presence, replica, schema
from fhir_server.store.mongo.sorting import MAIN
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.mongo.ticks import Ticks
from fhir_server.store.open import open_store
from tests.mongod import Mongo, Mongod

Run = Callable[..., None]
MEGABYTE = 1024 * 1024


@pytest.fixture
def url(mongo: Mongo) -> str:
    return mongo.url("unit")


@pytest.fixture
def with_store(url: str) -> Run:
    """Run a coroutine with a store, and close the store."""

    def run(body: Callable[[MongoStore], Coroutine[Any, Any, None]], **options: Any) -> None:
        async def inner() -> None:
            store = MongoStore(url, lambda: 1000, **options)
            try:
                await body(store)
            finally:
                await store.close()

        asyncio.run(inner())

    return run


def basic(id: str, *entries: Entry, body: bytes | None = b"{}", **more: Any) -> Write:
    return Write(Key("Basic", id), body, entries, **more)


@contextmanager
def database(url: str) -> Iterator[Database[Any]]:
    """The store as its operator sees it."""
    with MongoClient[Any](url) as client:
        yield client.get_default_database()


def test_long_bodies_are_kept_in_chunks_and_each_chunk_once(with_store: Run, url: str) -> None:
    long = b"x" * MEGABYTE + b"y" * MEGABYTE + b"x" * MEGABYTE + b"end"

    async def body(store: MongoStore) -> None:
        await store.commit([basic("a", body=long), basic("b", body=long)])
        await store.commit([basic("a", body=long + b"!")])
        for vid, expected in ((1, long), (2, long + b"!"), (None, long + b"!")):
            found = await store.read(Key("Basic", "a"), vid)
            assert found is not None
            assert found.body == expected
        page = await store.search(Query("Basic", EVERYTHING))
        assert [v.body for v in page.versions] == [long + b"!", long]
        assert [v.body async for v in store.scan()] == [long + b"!", long]
        assert [len(v.body or b"") for v in await store.history(History(Key("Basic", "a")))] == [
            len(long) + 1,
            len(long),
        ]
        assert await store.check() == []

    with_store(body)
    with database(url) as there:
        assert there["chunk"].count_documents({}) == 4


def test_forty_megabytes_are_one_commit(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        bodies = [bytes([n]) * (8 * MEGABYTE) for n in range(5)]
        await store.commit([basic(str(n), body=some) for n, some in enumerate(bodies)])
        found = await store.read(Key("Basic", "4"))
        assert found is not None
        assert found.body == bodies[4]

    with_store(body)


def test_what_is_expected_to_be_new_is_refused_where_it_is_not(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        new = basic("a", expect=0)
        first, second = await asyncio.gather(
            store.commit([new]), store.commit([new]), return_exceptions=True
        )
        third = await asyncio.gather(store.commit([new]), return_exceptions=True)
        await store.commit([basic("a", body=None)])
        [again] = await store.commit([new])

        assert isinstance(first, list)
        assert isinstance(second, PreconditionFailed)
        assert isinstance(third[0], PreconditionFailed)
        assert again.vid == 3
        assert await store.check() == []

    with_store(body)


def test_what_is_expected_to_be_new_is_not_looked_for(with_store: Run, url: str) -> None:
    async def body(store: MongoStore) -> None:
        await store.commit([basic("first")])
        with database(url) as there:
            there.command("profile", 2)
            await store.commit([basic("a", expect=0), basic("b", expect=0)])
            there.command("profile", 0)

    with_store(body)

    with database(url) as there:
        lines = list(there["system.profile"].find({"ns": f"{there.name}.record"}))
        there["system.profile"].drop()
    assert [line["op"] for line in lines] == ["insert"]


def test_five_thousand_writes_are_one_commit(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        writes = [basic(str(n), Entry("identifier", f"i{n}", "s")) for n in range(5000)]
        versions = await store.commit(writes)
        assert len(versions) == await store.count(Query("Basic", EVERYTHING)) == 5000
        assert len(await store.changes(0, 9999)) == 5000
        assert [c.seq for c in await store.changes(4998, 10)] == [4999, 5000]

    with_store(body)


def test_more_entries_than_a_document_holds_are_refused_alone(with_store: Run) -> None:
    many = [Entry("member", f"Patient/{n:0>60}", "x" * 100) for n in range(100_000)]

    async def body(store: MongoStore) -> None:
        good, bad = store.commit([basic("good")]), store.commit([basic("bad", *many)])
        found, refused = await asyncio.gather(good, bad, return_exceptions=True)
        assert isinstance(refused, TooLarge)
        assert not isinstance(found, BaseException)
        assert await store.read(Key("Basic", "bad")) is None

    with_store(body)


def test_text_that_is_not_unicode_is_refused_alone(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        good, bad = (
            store.commit([basic("good")]),
            store.commit([basic("bad", Entry("a", "\ud800"))]),
        )
        _, refused = await asyncio.gather(good, bad, return_exceptions=True)
        assert isinstance(refused, Unprocessable)
        assert await store.read(Key("Basic", "good")) is not None

    with_store(body)


HOSTILE = ("$e.v", "$gt", "$$ROOT", "a.b", "$where", "", "\0", "^.*", "[", "\\", "$", '{"$ne":1}')


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_taken_for_an_operator(with_store: Run, text: str) -> None:
    """Values, ids and names of parameters are looked for as they are."""

    async def body(store: MongoStore) -> None:
        await store.commit([
            basic("a", Entry("code", text), Entry("ref", f"Basic/{text}x")),
            basic("b", Entry("code", f"<{text}>"), Entry("ref", "Basic/none")),
            basic(f"{text}x", Entry("other", "x")),
        ])  # fmt: skip
        where = {
            "=": ["a"],
            "in": ["a"],
            "prefix": ["a", "b"] if not text else ["a"],
            "contains": ["a", "b"],
        }
        for op, expected in where.items():
            value = (text,) if op == "in" else text
            query = Query("Basic", Match("code", (Cond("v", op, value),)))
            assert [v.key.id for v in (await store.search(query)).versions] == expected, op
        for sort in (Sort(text), Sort("$e.v"), Sort("code", True)):
            page = await store.search(Query("Basic", EVERYTHING, (sort, Sort("_id"))))
            assert len(page.versions) == 3
        chain = Chain("ref", "Basic", Match("other"))
        has = Has("Basic", "ref", Match("code"))
        assert await store.count(Query("Basic", chain)) == 1
        assert await store.count(Query("Basic", has)) == 1
        nowhere = Query("Basic", Chain(text, "Basic", EVERYTHING))
        assert await store.count(nowhere) == 0

    for many in (0, 1000):
        with_store(body, many=many)


def test_a_query_past_its_time_is_too_costly(with_store: Run) -> None:
    async def body(store: MongoStore) -> None:
        with pytest.raises(TooCostly):
            await store.search(Query("Basic", EVERYTHING))
        with pytest.raises(TooCostly):
            await store.count(Query("Basic", EVERYTHING))

    with_store(body, query_seconds=0.0)


def test_an_unless_past_its_time_ends_its_own_commit(
    with_store: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.store.mongo.writer.UNLESS_SECONDS", 0.0)

    async def body(store: MongoStore) -> None:
        slow = basic("slow", unless=Query("Basic", EVERYTHING))
        outcomes = await asyncio.gather(
            *(store.commit([write]) for write in (basic("a"), slow, basic("b"))),
            return_exceptions=True,
        )
        assert [isinstance(found, TooCostly) for found in outcomes] == [False, True, False]
        assert await store.count(Query("Basic", EVERYTHING)) == 2

    with_store(body)


def test_the_feed_of_two_processes_has_no_gaps_and_keeps_order(url: str) -> None:
    """Whoever reads while others write never misses what becomes visible later."""

    async def run() -> None:
        stores = [MongoStore(url, lambda: 1000) for _ in range(2)]
        seen: list[int] = []
        vids: dict[Key, int] = {}

        async def write(store: MongoStore, name: str) -> None:
            for n in range(30):
                await store.commit([basic(f"{name}{n % 5}"), basic(f"{name}x{n % 3}")])

        async def follow() -> None:
            while len(seen) < 120:
                for change in await stores[0].changes(seen[-1] if seen else 0, 7):
                    seen.append(change.seq)
                    assert change.vid == vids.get(change.key, 0) + 1
                    vids[change.key] = change.vid

        await asyncio.gather(follow(), write(stores[0], "a"), write(stores[1], "b"))
        assert seen == list(range(1, 121))
        for store in stores:
            await store.close()

    asyncio.run(run())


def test_a_dead_process_keeps_nobody_waiting(
    with_store: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that a killed process left open is ended by the next that meets it."""
    monkeypatch.setattr(presence, "DEAD_AFTER_MS", 300)

    async def body(store: MongoStore) -> None:
        await store.commit([basic("a")])
        with database(url) as there, there.client.start_session() as session:
            session.start_transaction()
            there["record"].update_one({"_id": "Basic/a"}, {"$set": {"vid": 99}}, session=session)
            dead = {"session": dict(session.session_id)}
            update = {"$set": dead, "$currentDate": {"at": True}}
            there["meta"].update_one({"_id": "writer/dead"}, update, upsert=True)
            [version] = await store.commit([basic("a")])
        assert version.vid == 2

    with_store(body)


def test_several_processes_may_begin_at_once(mongo: Mongo) -> None:
    with mongo.server.client() as client:
        client.drop_database("begin")
    faulty: list[BaseException] = []

    def begin() -> None:
        try:
            asyncio.run(open_store(f"mongodb://{mongo.server.host}/begin", lambda: 0).close())
        except BaseException as fault:  # told below
            faulty.append(fault)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faulty == []


DAMAGE: dict[str, tuple[str, Any, Any]] = {
    "have a gap": ("version", {"_id": {"k": "Basic/a", "v": 1}}, None),
    "the order of time": ("record", {"_id": "Basic/a"}, {"at": 0}),
    "another type": ("record", {"_id": "Basic/a"}, {"t": "Patient"}),
    "another patient": ("record", {"_id": "Basic/a"}, {"pid": 0}),
    "list its patients": ("record", {"_id": "Basic/a"}, {"pids": []}),
    "a part of a body": ("record", {"_id": "Basic/a"}, {"chunks": [b"none"]}),
    "belongs to no record": ("record", {"_id": "Basic/a"}, None),
    "change feed": ("commit", {}, None),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_damage_is_found(with_store: Run, url: str, words: str) -> None:
    name, which, change = DAMAGE[words]

    async def body(store: MongoStore) -> None:
        for _ in range(3):
            await store.commit([basic("a", patients=("p",)), basic("b")])
        assert await store.check() == []
        with database(url) as there:
            if change is None:
                there[name].delete_one(which)
            else:
                there[name].update_one(which, {"$set": change})
        assert any(words in problem for problem in await store.check())

    with_store(body)


def test_a_stand_alone_server_is_refused_with_the_remedy() -> None:
    with (
        Mongod("--storageEngine", "wiredTiger") as server,
        pytest.raises(ValueError, match=r"stand-alone .* Restart it with .*--replSet rs0"),
    ):
        open_store(f"mongodb://{server.host}/hub", lambda: 0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mongodb://127.0.0.1:1/hub", "No MongoDB server answers at 127.0.0.1:1"),
        ("mongodb://", "cannot be read"),
        ("mongodb://a:b:c/hub", "cannot be read"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(
    url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_PROBE_MS", 300)

    with pytest.raises(ValueError, match=words):
        open_store(url, lambda: 0)


def test_another_schema_is_refused(url: str, with_store: Run) -> None:
    async def nothing(store: MongoStore) -> None:
        await store.read(Key("Basic", "a"))

    with_store(nothing)
    with database(url) as there:
        there["meta"].update_one({"_id": "schema"}, {"$set": {"value": 99}})
        with pytest.raises(
            ValueError, match=rf"has schema 99; this version .* reads schema {schema.SCHEMA}"
        ):
            open_store(url, lambda: 0)
        there["meta"].update_one({"_id": "schema"}, {"$set": {"value": schema.SCHEMA}})


@pytest.mark.parametrize("preference", ["secondary", "nearest"])
def test_the_primary_is_asked_whatever_the_url_prefers(url: str, preference: str) -> None:
    async def run() -> None:
        store = MongoStore(f"{url}?readPreference={preference}", lambda: 1000)
        await store.commit([basic("a")])

        assert await store.count(Query("Basic", EVERYTHING)) == 1
        assert len(await store.changes(0, 10)) == 1

        await store.close()

    asyncio.run(run())


def test_a_closed_store_takes_no_commits(url: str) -> None:
    async def run() -> None:
        store = MongoStore(url, lambda: 1000)
        waiting = asyncio.gather(*(store.commit([basic(str(n))]) for n in range(5)))
        await asyncio.sleep(0)
        await store.close()
        assert [version.vid for [version] in await waiting] == [1] * 5
        with pytest.raises(Busy):
            await store.commit([basic("late")])

    asyncio.run(run())


def test_ticks_follow_what_was_met() -> None:
    slow, fast = Ticks(lambda: 10, 1), Ticks(lambda: 500, 2)
    there = fast.next()

    before = slow.next()
    slow.met(there)

    assert before < there < slow.next()


def test_ticks_of_a_clock_that_stands_still_are_all_different() -> None:
    found: Sequence[int] = [tick for t in (Ticks(lambda: 0, n) for n in range(3)) for tick in
                            (t.next() for _ in range(5000))]  # fmt: skip

    assert len(set(found)) == len(found)
    assert min(found) > 0


def test_what_is_no_passing_fault_stays_what_it_is() -> None:
    with pytest.raises(OperationFailure), faults.told("read"):
        raise OperationFailure("BadValue", 2)


def test_the_documents_list_the_orders_along_an_index() -> None:
    """docs/store.md names the main date of each type."""
    text = (Path(__file__).parents[3] / "docs" / "store.md").read_text()
    listed = text.partition("**Orders along an index:**")[2].partition("**Bounds.**")[0]
    told = {
        name: param
        for param, names in re.findall(r"`([a-z-]+)`\s+of\s+([^;`]+?)[;.]", listed)
        for name in re.findall(r"[A-Z]\w+", names)
    }

    assert told == {name: param for name, param in MAIN.items() if name[0].isupper()}
