"""The embedded store under trouble: locks, a full disk, values that do not fit, closing."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest

from fhir_server.errors import Busy, TooCostly, Unprocessable
from fhir_server.model import Entry, Key, Query, Sort, Write
from fhir_server.search.tree import EVERYTHING, And, Cond, InPatient, Match, Not, Or, both
from fhir_server.store.sqlite import schema
from fhir_server.store.sqlite.asked import Asked, Compiled
from fhir_server.store.sqlite.deadline import limited
from fhir_server.store.sqlite.lock import FileLock
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.runner import Tuning
from fhir_server.store.sqlite.store import SQLiteStore

With = Callable[..., None]
Make = Callable[..., Write]
_COUNTING = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) "
    "SELECT max(i) FROM n"
)


def test_commits_are_synced(path: str, with_store: With, basic: Make) -> None:
    """`synchronous=FULL` in WAL mode: every commit is an fsync."""

    async def body(store: SQLiteStore) -> None:
        await store.commit([basic("1")])

    with_store(body)
    with closing(schema.connect(path, write=True)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_stores_on_one_file_see_each_other(path: str, with_store: With, basic: Make) -> None:
    async def body(one: SQLiteStore) -> None:
        two = SQLiteStore(path, lambda: 1000)
        await one.commit([basic("1", patients=("p",))])
        await two.commit([basic("2", patients=("q",))])
        await one.commit([basic("3", patients=("q",))])
        asked = Query("Basic", Match("code", (Cond("v", "=", "x"),)))
        found = [v.key.id for v in (await one.search(asked)).versions]
        assert found == [v.key.id for v in (await two.search(asked)).versions]
        assert sorted(found) == ["1", "2", "3"]
        assert await two.check() == []
        await two.close()

    with_store(body)


def test_entries_follow_a_record_to_another_patient(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic("1", patients=("p",))])
        await store.commit([basic("1", patients=("q",))])
        where = both(Match("code", (Cond("v", "=", "x"),)), InPatient("q"))
        assert await store.count(Query("Basic", where)) == 1
        assert await store.check() == []

    with_store(body)


def test_a_foreign_lock_is_busy_and_passes(
    path: str, with_store: With, basic: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "WAIT", 0.05)

    async def body(store: SQLiteStore) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy, match="cannot write now"):
                await store.commit([basic("1")])
        assert await store.read(Key("Basic", "1")) is None
        [version] = await store.commit([basic("1")])
        assert version.vid == 1

    with_store(body)


def test_a_process_that_hangs_on_the_lock_makes_others_busy(
    path: str, with_store: With, basic: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(store: SQLiteStore) -> None:
        with closing(FileLock(path, 9)) as lock:
            with lock, pytest.raises(Busy, match="another process holds the file"):
                await store.commit([basic("1")])
            [version] = await store.commit([basic("1")])
            assert version.vid == 1

    monkeypatch.setattr(schema, "WAIT", 0.05)
    with_store(body)


def test_a_full_disk_is_busy_and_passes(
    with_store: With, basic: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]
    connect = schema.connect

    def small(path: str, *, write: bool = False) -> sqlite3.Connection:
        connection = connect(path, write=write)
        if full[0] and write:
            connection.execute("PRAGMA max_page_count = 40").fetchone()
        return connection

    monkeypatch.setattr(schema, "connect", small)

    async def body(store: SQLiteStore) -> None:
        writes = [Write(Key("Basic", str(n)), b"x" * 5000) for n in range(20)]
        kept = await store.commit([basic("kept")])
        outcomes = await asyncio.gather(
            *(store.commit([write]) for write in writes), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {Busy}
        assert await store.read(Key("Basic", "kept")) == kept[0]
        assert await store.read(Key("Basic", "0")) is None
        full[0] = False
        assert len(await store.commit(writes)) == 20
        assert await store.check() == []

    with_store(body)


@pytest.mark.parametrize("value", [1 << 70, "\ud800"])
def test_what_cannot_be_stored_is_refused_alone(
    with_store: With, basic: Make, value: int | str
) -> None:
    async def body(store: SQLiteStore) -> None:
        outcomes = await asyncio.gather(
            store.commit([basic("1")]),
            store.commit([basic("2", value)]),
            store.commit([basic("3"), basic("4", value)]),
            store.commit([basic("5")]),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [
            list,
            Unprocessable,
            Unprocessable,
            list,
        ]
        assert await store.count(Query("Basic", EVERYTHING)) == 2
        assert await store.check() == []

    with_store(body)


def test_numbers_beyond_the_range_may_be_asked_for(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic("1", 5.5)])
        asked = Query("Basic", Match("code", (Cond("v", "<", 1 << 70),)))
        assert await store.count(asked) == 1

    with_store(body)


def test_programmers_errors_reach_the_programmer(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        with pytest.raises(ValueError, match="one key twice"):
            await store.commit([basic("1"), basic("1")])
        bad = Write(Key("Basic", "1"), b"{}", (Entry("code", None),))  # type: ignore[arg-type]
        with pytest.raises(sqlite3.IntegrityError):
            await store.commit([bad])
        with pytest.raises(AttributeError):
            await store.commit([Write(Key("Basic", "1"), b"{}", (5,))])  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="not a search node"):
            await store.search(Query("Basic", "code=1"))  # type: ignore[arg-type]
        assert await store.commit([basic("1")])

    with_store(body)


def test_a_long_query_is_given_up(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic(str(n)) for n in range(3000)])
        where = Not(Match("code", (Cond("v", "contains", "x"),)))
        with pytest.raises(TooCostly):
            await store.count(Query("Basic", where))
        with pytest.raises(TooCostly):
            await store.search(Query("Basic", where))

    with_store(body, query_seconds=0)


def test_a_long_list_is_put_together_in_another_thread(
    with_store: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    async def body(store: SQLiteStore) -> None:
        search = store._search

        def noted(*args: Any) -> Any:
            threads.append(threading.current_thread().name)
            return search(*args)

        monkeypatch.setattr(store, "_search", noted)
        days = tuple(Match("date", (Cond("v", ">", n), Cond("w", "<", n + 1))) for n in range(300))
        await store.search(Query("Basic", Or(days)))

    with_store(body)
    [name] = threads
    assert name.startswith("store-reader")


def test_a_long_query_leaves_the_event_loop(path: str, with_store: With) -> None:
    threads: list[str] = []

    def count(connection: sqlite3.Connection, _: object) -> Any:
        threads.append(threading.current_thread().name)
        return connection.execute(_COUNTING).fetchone()[0]

    async def body(store: SQLiteStore) -> None:
        assert await store._readers.run(count) == 200_000

    with_store(body)
    first, second = threads
    assert first == threading.main_thread().name
    assert second.startswith("store-reader")


def test_a_sparse_page_is_found_by_the_other_plan(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        writes = [basic(f"{n:05}", "rare" if n == 2990 else "x") for n in range(3000)]
        await store.commit(writes)
        where = Match("code", (Cond("v", "contains", "rare"),))
        [version] = (await store.search(Query("Basic", where))).versions
        assert version.key.id == "02990"

    with_store(body, tuning=Tuning(patience=1))


def test_too_many_waiting_queries_are_turned_away(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        def work(connection: sqlite3.Connection, _: object) -> Any:
            return connection.execute(_COUNTING).fetchone()

        with pytest.raises(TooCostly, match="too long"):
            await store._readers.run(work)
        with pytest.raises(TooCostly, match="are waiting"):
            store._readers._run(work, 0.0)

    with_store(body, query_seconds=0)


def test_a_commit_given_up_while_it_waits_is_not_written(
    path: str, with_store: With, basic: Make
) -> None:
    async def body(store: SQLiteStore) -> None:
        with closing(FileLock(path, 9)) as lock, lock:
            first = asyncio.ensure_future(store.commit([basic("1")]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            while not store._writer._queue.empty():
                await asyncio.sleep(0.001)
            second = asyncio.ensure_future(store.commit([basic("2")]))
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(0)
        await first
        await store.commit([basic("3")])
        assert await store.read(Key("Basic", "2")) is None
        assert await store.read(Key("Basic", "3")) is not None

    with_store(body)


def test_closing_finishes_what_waits(path: str, with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        waiting = [asyncio.ensure_future(store.commit([basic(str(n))])) for n in range(300)]
        await asyncio.sleep(0)
        await store.close()
        assert len(await asyncio.gather(*waiting)) == 300
        with pytest.raises(Busy, match="being closed"):
            await store.commit([basic("late")])

    with_store(body)


def test_the_answer_to_a_closed_loop_is_dropped(path: str, basic: Make) -> None:
    store = SQLiteStore(path, lambda: 0)
    with closing(FileLock(path, 9)) as lock, lock:
        loop = asyncio.new_event_loop()
        task = loop.create_task(store.commit([basic("1")]))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    async def body() -> None:
        assert await store.commit([basic("2")])
        await store.close()

    asyncio.run(body())


def test_the_lock_excludes(path: str) -> None:
    entered: list[str] = []
    one, two = FileLock(path, 9), FileLock(path, 9)

    def other() -> None:
        with two:
            entered.append("other")

    thread = threading.Thread(target=other)
    with one:
        thread.start()
        thread.join(0.05)
        entered.append("one")
    thread.join()

    assert entered == ["one", "other"]
    one.close()
    two.close()


def test_names_are_forgotten_when_there_are_too_many(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.store.sqlite.names._MOST_PATIENTS", 2)
    names = Names()
    for n in range(4):
        names.learn({str(n): n}, {("Basic", ""): 1})

    assert names.patients == {"3": 3}
    assert names.params == {("Basic", ""): 1}


def test_a_broken_statement_is_no_transient_fault(path: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.OperationalError),
        limited(connection, 1),
    ):
        connection.execute("SELECT nonsense FROM nowhere")


def test_reading_a_file_that_is_gone_is_busy(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        store = SQLiteStore(path, lambda: 0)

        def refuse(path: str, *, write: bool = False) -> sqlite3.Connection:
            return sqlite3.connect("/nowhere/at/all")

        monkeypatch.setattr(schema, "connect", refuse)
        with pytest.raises(Busy, match="cannot read now"):
            await store.count(Query("Basic", EVERYTHING))
        with pytest.raises(Busy, match="cannot read now"):
            await store.read(Key("Basic", "1"))
        await store.close()

    asyncio.run(body())


def test_an_interrupted_statement_stays_compiled(path: str, with_store: With) -> None:
    """What was interrupted once is not compiled anew on each further run."""

    async def body(store: SQLiteStore) -> None:
        """Leave an empty file."""

    with_store(body)
    with closing(schema.connect(path)) as connection:
        with pytest.raises(TooCostly), limited(connection, 0):
            connection.execute(_COUNTING).fetchall()
        texts: list[str] = []
        connection.set_trace_callback(texts.append)
        connection.execute(_COUNTING).fetchall()
        connection.execute(_COUNTING).fetchall()

    assert len(set(texts)) == 1
    assert texts[0] != _COUNTING


def test_an_estimate_of_many_is_near_and_marked(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        for start in range(0, 9000, 1000):
            await store.commit(
                [
                    Write(Key("Observation", str(n)), b"{}", (Entry("code", "ab"[n % 2]),))
                    for n in range(start, start + 1000)
                ]
            )
        half = Query("Observation", Match("code", (Cond("v", "=", "a"),)))

        number, is_exact = await store.estimate(half)

        assert not is_exact
        assert 3600 < number < 5400

    with_store(body)


def test_a_long_statement_is_not_compiled_in_the_loop(
    with_store: With, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    run = Compiled.run

    def noted(self: Compiled, asked: Asked) -> sqlite3.Cursor:
        threads.append(threading.current_thread().name)
        return run(self, asked)

    async def body(store: SQLiteStore) -> None:
        await store.commit([Write(Key("Observation", "1"), b"{}")])
        monkeypatch.setattr(Compiled, "run", noted)
        parts = tuple(Not(Match(f"p{n}", (Cond("v", "=", n),))) for n in range(2000))
        assert len((await store.search(Query("Observation", And(parts)))).versions) == 1

    with_store(body)

    assert threads
    assert all(name.startswith("store-reader") for name in threads)


@pytest.mark.parametrize(("commits", "groups"), [(40, [40]), (250, [100, 100, 50])])
def test_commits_of_one_turn_of_the_loop_share_a_transaction_up_to_a_hundred(
    with_store: With,
    basic: Make,
    monkeypatch: pytest.MonkeyPatch,
    commits: int,
    groups: list[int],
) -> None:
    sizes: list[int] = []

    async def body(store: SQLiteStore) -> None:
        transaction = store._writer._transaction

        def counted(jobs: Sequence[Any]) -> Any:
            sizes.append(len(jobs))
            return transaction(jobs)

        monkeypatch.setattr(store._writer, "_transaction", counted)
        await asyncio.gather(*(store.commit([basic(str(n))]) for n in range(commits)))

    with_store(body)
    assert groups == sizes


def test_names_of_a_group_that_is_undone_are_forgotten(path: str, with_store: With) -> None:
    """A condition is asked among rows that are not committed yet; then the group is done again."""
    unless = Query("Basic", both(Match("code", (Cond("v", "=", "y"),)), InPatient("p")))
    key = [Key("Basic", id) for id in "123"]
    first = Write(key[0], b"{}", (Entry("code", "x"),), patients=("p",))
    second = Write(key[1], b"{}", (Entry("code", "y"),), patients=("q",), unless=unless)
    broken = Write(key[2], b"{}", (Entry("code", "\ud800"),))

    async def body(store: SQLiteStore) -> None:
        made = (store.commit([each]) for each in (first, second, broken))
        await asyncio.gather(*made, return_exceptions=True)
        assert await store.check() == []

    with_store(body)

    async def again(store: SQLiteStore) -> None:
        found = await store.search(Query("Basic", both(Match("code"), InPatient("p"))))
        assert [version.key for version in found.versions] == [first.key]

    with_store(again)


def test_alternatives_of_many_are_not_all_looked_at_for_a_page(with_store: With) -> None:
    """Few steps are enough: as soon as more than a few match, the order's own index is walked."""
    both_codes = Or(tuple(Match(param, (Cond("v", "=", "x"),)) for param in ("code", "part")))
    asked = Query("Basic", both_codes, (Sort("date"),))

    async def body(store: SQLiteStore) -> None:
        for n in range(0, 2500, 500):
            await store.commit([_dated(each) for each in range(n, n + 500)])
        told = await store.explain(asked)
        assert [step.what for step in told.steps if step.what == "impatient"] == []

    with_store(body, tuning=Tuning(patience=2))


def _dated(number: int) -> Write:
    entries = Entry("code" if number % 2 else "part", "x"), Entry("date", number, number + 1)
    return Write(Key("Basic", f"n{number}"), b"{}", entries)
