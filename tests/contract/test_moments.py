"""Whom grants permit while grants come and go: each answer is that of one moment of the store."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from fhir_server.authz.grant import FOREVER, active
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import Chain, Cond, ForEachPatient, Has, Match, both, either
from fhir_server.store.memory import MemoryStore
from fhir_server.store.mongo import permits as on_mongo
from fhir_server.store.open import Kept
from fhir_server.store.sqlite import permits as on_sqlite
from fhir_server.store.sqlite import readers
from tests.contract.opened import Open, stores

_PEOPLE = tuple(f"p{number}" for number in range(10))
_COMMITS = 30
_READERS = 4


def _is(param: str, value: str) -> Match:
    return Match(param, (Cond("v", "=", value),))


def _visible(clinic: str) -> tuple[ForEachPatient, Has]:
    """Return what a rule of a clinic permits, and what its packages name."""
    rule = active(_is("recipient", clinic), _is("rule", f"rule-{clinic}"))
    return ForEachPatient("grant", rule), Has("grant", "resource", active(_is("package", clinic)))


def _queries() -> list[Query]:
    found = []
    for clinic in "xy":
        permitted, package = _visible(clinic)
        seen = either(package, both(permitted, _is("code", "a")))
        wheres = (permitted, seen, both(permitted, Chain("ref", "Observation", seen)))
        found += [
            Query("Observation", where, limit=100, now=now)
            for where in wheres
            for now in (50, 150, 250)
        ]
    return found


def _grant(chance: random.Random) -> Write:
    """Return a grant by a rule or of named records, of one patient, several, or nobody."""
    clinic = chance.choice("xy")
    start = chance.randrange(250)
    opens = (
        (Entry("rule", f"rule-{clinic}"),)
        if chance.random() < 0.8
        else (Entry("package", clinic), Entry("resource", f"Observation/{chance.randrange(40)}"))
    )
    until = start + chance.choice((5, 50, FOREVER))
    entries = (Entry("recipient", clinic), Entry("from", start), Entry("until", until), *opens)
    about = tuple(chance.sample(_PEOPLE, chance.choice((1, 1, 1, 1, 2, 0))))
    key = Key("grant", str(chance.randrange(30)))
    if chance.random() < 0.1:
        return Write(key, None)
    return Write(key, b"{}", entries, patients=about)


def _observation(chance: random.Random) -> Write:
    key = Key("Observation", str(chance.randrange(40)))
    said = (Entry("code", chance.choice("ab")), Entry("ref", f"Observation/{chance.randrange(40)}"))
    about = chance.sample(_PEOPLE, chance.choice((0, 1, 1, 1, 2)))
    return Write(key, b"{}", said, patients=tuple(about))


def _commits(chance: random.Random) -> list[list[Write]]:
    """Return a world, and what changes it: mostly one grant at a time."""
    first = [_grant(chance) for _ in range(60)] + [_observation(chance) for _ in range(80)]
    makers = (_grant, _grant, _grant, _observation)
    rest = ([chance.choice(makers)(chance)] for _ in range(_COMMITS))
    return [list({write.key: write for write in writes}.values()) for writes in (first, *rest)]


async def _answers(commits: Sequence[Sequence[Write]]) -> list[list[list[str]]]:
    """Return what each query finds after each of the commits."""
    memory = MemoryStore(lambda: 0)
    found = []
    for writes in commits:
        await memory.commit(writes)
        found.append([await _ids(memory, query) for query in _queries()])
    return found


async def _ids(store: Kept | MemoryStore, query: Query) -> list[str]:
    return [version.key.id for version in (await store.search(query)).versions]


@dataclass
class _Progress:
    """How many of the changes were sent, and how many acknowledged."""

    sent: int = 0
    done: int = 0


async def _write(store: Kept, commits: Sequence[Sequence[Write]], progress: _Progress) -> None:
    for writes in commits:
        progress.sent += 1
        await store.commit(writes)
        progress.done = progress.sent


async def _read(
    store: Kept,
    answers: list[list[list[str]]],
    progress: _Progress,
    chance: random.Random,
) -> None:
    """Ask, until all is written, and compare with the moments in which that may have been."""
    queries = _queries()
    while progress.done < len(answers) - 1:
        place, first = chance.randrange(len(queries)), progress.done
        found = await _ids(store, queries[place])
        number = await store.count(queries[place])
        moments = [answers[n][place] for n in range(first, progress.sent + 1)]
        assert found in moments, queries[place]
        assert number in map(len, moments), queries[place]


@pytest.mark.parametrize("turned", [1, 500])
def test_each_answer_is_of_one_moment(
    empty: Open, turned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_sqlite, "_TURNED", turned)
    monkeypatch.setattr(on_sqlite, "_PAGES", 0)
    monkeypatch.setattr(on_mongo, "_PAGES", 0)
    monkeypatch.setattr(readers, "BRIEF", 0)  # every query goes to a thread

    async def run() -> None:
        commits = _commits(random.Random(turned))
        answers = await _answers(commits)
        progress = _Progress()
        async with stores(empty) as (_, disks, _):
            await disks[0].commit(commits[0])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(disks[0], commits[1:], progress))
                for number in range(_READERS):
                    store, chance = disks[number % len(disks)], random.Random(number)
                    tasks.create_task(_read(store, answers, progress, chance))

    asyncio.run(run())
