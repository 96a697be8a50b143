"""Every inconsistency that `check` promises to find, made and found."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from fhir_server.model import Key, Text, Write
from fhir_server.store.sqlite.store import SQLiteStore

With = Callable[..., None]
Make = Callable[..., Write]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE record SET seq = 1 WHERE ref = 'Basic/1'", "latest version is not its last one"),
        ("UPDATE record SET vid = 7 WHERE ref = 'Basic/1'", "disagrees with its latest version"),
        ("UPDATE record SET deleted = 1 WHERE ref = 'Basic/1'", "disagrees with its latest"),
        ("DELETE FROM version WHERE vid = 1 AND rid = 1", "have a gap"),
        ("UPDATE version SET updated = 5000 WHERE seq = 1", "not in the order"),
        ("UPDATE version SET rid = 99 WHERE seq = 2", "a version belongs to no record: 2"),
        ("INSERT INTO entry VALUES(99, 1, 0, 'x', '', '', 0, '', 0)", "belongs to no living"),
        ("UPDATE entry SET patient = 5 WHERE rid = 1", "names another patient"),
        ("UPDATE param SET type = 'Other' WHERE name = 'code'", "parameter of another type"),
        ("UPDATE param SET type = 'Other' WHERE name = ''", "another type than its name says"),
        ("UPDATE record SET patient = 0 WHERE ref = 'Basic/2'", "under another patient"),
        ("DELETE FROM several", "does not list them: Basic/3"),
        ("INSERT INTO several VALUES(1, 1)", "does not list them: Basic/1"),
        ("DELETE FROM past WHERE seq = 1", "the past does not hold the versions of a FHIR type"),
        ("UPDATE past SET updated = 7 WHERE seq = 1", "the past does not hold"),
        ("INSERT INTO past VALUES(1, 1, 99)", "or holds others: 99"),
        ("UPDATE text SET id = id + 50", "words belong to no living record"),
        (
            "UPDATE text SET rest = rest || 'more '",
            "knows 2 words of records, they have 3",
        ),
        ("INSERT INTO word(word) VALUES('delete-all')", "knows 0 words of records, they have 2"),
    ],
)
def test_damage_is_found(path: str, with_store: With, basic: Make, damage: str, words: str) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic("1"), basic("2", patients=("p",))])
        await store.commit([basic("1"), basic("3", patients=("p", "q"), text=Text("", " a b a "))])
        assert await store.check() == []
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(damage)
            connection.commit()

        assert words in "\n".join(await store.check())

    with_store(body)


def test_a_damaged_file_is_found(path: str, with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic(str(n)) for n in range(200)])
        await store.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("DELETE FROM sqlite_schema WHERE name = 'version_of'")
            connection.commit()
        again = SQLiteStore(path, lambda: 0)
        [first, *_] = await again.check()
        assert first.startswith("the file is damaged")
        await again.close()

    with_store(body)


def test_stats_count_living_records(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic("1"), basic("2"), Write(Key("audit", "1"), b"{}")])
        await store.commit([Write(Key("Basic", "1"), None)])
        stats = await store.stats()
        assert stats.records == {"Basic": 1, "audit": 1}
        assert stats.size > 10_000

    with_store(body)


def test_scan_goes_through_all(with_store: With, basic: Make) -> None:
    async def body(store: SQLiteStore) -> None:
        await store.commit([basic(str(n)) for n in range(1200)])
        await store.commit([Write(Key("audit", "1"), b"{}")])
        assert len([v async for v in store.scan("Basic")]) == 1200
        assert len([v async for v in store.scan()]) == 1201
        assert [v async for v in store.scan("Nothing")] == []

    with_store(body)
