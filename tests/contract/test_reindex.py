"""Records are found by other entries while their versions stay, on every store."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from fhir_server.errors import Outdated
from fhir_server.model import DEFINITIONS, Entry, Key, Query, Text, Version, Write
from fhir_server.search.tree import Cond, InPatient, Match, Node, Words
from fhir_server.store.open import Kept, open_store

OLD, NEW = Entry("code", "old"), Entry("code", "new")
FIRST = Key("Observation", "a")


class Asked:
    """A store, asked without awaiting."""

    def __init__(self, url: str) -> None:
        self.store: Kept = open_store(url, count(1).__next__)
        self.runner = asyncio.Runner()

    def commit(self, *writes: Write) -> list[Version]:
        return self.runner.run(self.store.commit(writes))

    def reindex(self, *writes: Write) -> int:
        return self.runner.run(self.store.reindex(writes))

    def found(self, where: Node) -> list[str]:
        page = self.runner.run(self.store.search(Query("Observation", where)))
        return [version.key.id for version in page.versions]

    def read(self, key: Key, vid: int | None = None) -> Version | None:
        return self.runner.run(self.store.read(key, vid))

    def scanned(self, type: str, after: str = "") -> list[str]:
        async def walk() -> list[str]:
            return [version.key.id async for version in self.store.scan(type, after)]

        return self.runner.run(walk())

    def check(self) -> list[str]:
        return self.runner.run(self.store.check())

    def close(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{tmp_path}/hub.db"
        case _:
            url = request.getfixturevalue("mongo").url("reindex")
    made = Asked(url)
    yield made
    made.close()


def by(entry: Entry) -> Node:
    return Match(entry.param, (Cond("v", "=", entry.v),))


def test_other_entries_find_the_same_version(asked: Asked) -> None:
    [before] = asked.commit(Write(FIRST, b"{}", (OLD,)))

    assert asked.reindex(Write(FIRST, b"{}", (NEW,), expect=1)) == 1
    assert asked.found(by(NEW)) == ["a"]
    assert asked.found(by(OLD)) == []
    assert asked.read(FIRST) == before
    assert len(asked.runner.run(asked.store.changes(0, 10))) == 1
    assert asked.check() == []


def test_patients_and_authorization_follow(asked: Asked) -> None:
    asked.commit(Write(FIRST, b"{}", (OLD,), (OLD,), ("p",)))
    asked.reindex(Write(FIRST, b"{}", (NEW,), (NEW,), ("q", "r"), expect=1))

    assert asked.found(InPatient("p")) == []
    assert asked.found(InPatient("q")) == ["a"]
    version = asked.read(FIRST)
    assert version is not None
    assert (version.auth, version.patients) == ((NEW,), ("q", "r"))
    assert asked.check() == []
    asked.commit(Write(FIRST, b"{}", (OLD,), (OLD,), ("p",)))
    assert asked.read(FIRST, 1) == version


def test_words_follow(asked: Asked) -> None:
    asked.commit(Write(FIRST, b"{}", text=Text("", " old ")))
    asked.reindex(Write(FIRST, b"{}", text=Text("", " new "), expect=1))

    assert asked.found(Words("content", ("new",))) == ["a"]
    assert asked.found(Words("content", ("old",))) == []


def test_what_was_written_meanwhile_wins(asked: Asked) -> None:
    asked.commit(Write(FIRST, b"{}", (OLD,)))
    asked.commit(Write(FIRST, b"{1}", (Entry("code", "latest"),)))

    assert asked.reindex(Write(FIRST, b"{}", (NEW,), expect=1)) == 0
    assert asked.found(by(NEW)) == []
    assert asked.found(Match("code", (Cond("v", "=", "latest"),))) == ["a"]


def test_what_was_deleted_stays_so(asked: Asked) -> None:
    asked.commit(Write(FIRST, b"{}", (OLD,)))
    asked.commit(Write(FIRST, None))

    assert asked.reindex(Write(FIRST, b"{}", (NEW,), expect=2)) == 0
    assert asked.found(by(NEW)) == []


def test_entries_of_an_older_set_are_refused(asked: Asked) -> None:
    asked.commit(Write(FIRST, b"{}", (OLD,), under=0))
    asked.commit(Write(DEFINITIONS, b"{}"))

    with pytest.raises(Outdated):
        asked.commit(Write(Key("Observation", "b"), b"{}", (OLD,), under=0))
    with pytest.raises(Outdated):
        asked.reindex(Write(FIRST, b"{}", (NEW,), expect=1, under=0))
    asked.commit(Write(Key("Observation", "b"), b"{}", (OLD,), under=1))
    assert asked.found(by(OLD)) == ["a", "b"]


def test_a_walk_goes_on_behind_a_record(asked: Asked) -> None:
    asked.commit(*(Write(Key("Observation", id), b"{}") for id in "bca"))
    asked.commit(Write(Key("Patient", "x"), b"{}"))
    walk = asked.scanned("Observation")

    assert sorted(walk) == ["a", "b", "c"]
    assert asked.scanned("Observation", walk[0]) == walk[1:]
    assert asked.scanned("Observation", walk[2]) == []
