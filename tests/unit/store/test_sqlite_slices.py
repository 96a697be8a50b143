"""A page under grants of many patients is found slice by slice, and is the same as without."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fhir_server.authz.grant import active
from fhir_server.model import Entry, Key, Query, Sort, Write
from fhir_server.search.tree import Cond, ForEachPatient, Has, Match, Node, both, either, missing
from fhir_server.store.memory import MemoryStore
from fhir_server.store.sqlite import runner
from fhir_server.store.sqlite.asked import Asked
from fhir_server.store.sqlite.permitted import ALL, Permitted, before, following
from fhir_server.store.sqlite.runner import Tuning
from fhir_server.store.sqlite.store import SQLiteStore

_PATIENTS = 60


def _is(param: str, value: str) -> Match:
    return Match(param, (Cond("v", "=", value),))


_GRANTED = ForEachPatient("grant", active(_is("rule", "r")))
_OTHERS = ForEachPatient("grant", active(_is("rule", "q")))
_PACKAGE = Has("grant", "resource", active(_is("package", "me")))
_MINE = _is("_owner", "me")
_OURS = Match("_owner", (Cond("v", "in", ("me", "them")),))
_RANGE = Match("code", (Cond("v", ">=", "b"),))
_VISIBLE = (
    _GRANTED,
    either(_MINE, _PACKAGE, _GRANTED),
    either(_OURS, _PACKAGE, _GRANTED),
    either(_MINE, _PACKAGE, both(_GRANTED, _is("code", "a")), both(_OTHERS, _RANGE)),
)
_ASKED: tuple[Node, ...] = (
    both(),
    _is("code", "a"),
    _is("code", "rare"),
    _RANGE,
    Match("code", (Cond("v", "in", ("a", "b")),)),
    missing("code"),
)
_SORTS = ((), (Sort("code"),), (Sort("date", descending=True),))


def _world(chance: random.Random) -> Iterator[Write]:
    """Grants of a third of the patients, and records about one, about several, about nobody."""
    names = [f"p{number}" for number in range(_PATIENTS)]
    for name in names:
        rule = chance.choice("rqx")
        entries = (Entry("rule", rule), Entry("from", 0), Entry("until", 1000))
        yield Write(Key("grant", name), b"{}", entries, patients=(name,))
    for number in range(300):
        about = tuple(chance.sample(names, chance.choice((0, 1, 1, 1, 1, 1, 2))))
        entries = tuple(
            entry
            for entry in (
                Entry("code", chance.choice(("a", "a", "b", "c", "c", "rare"))),
                Entry("date", chance.randrange(20)),
                Entry("_owner", chance.choice(("me", "you", "you", "you"))),
            )
            if chance.random() < 0.8
        )
        yield Write(Key("Observation", str(number)), b"{}", entries, patients=about)
    for number in chance.sample(range(300), 5):
        entries = (Entry("package", "me"), Entry("from", 0), Entry("until", 1000))
        entries += (Entry("resource", f"Observation/{number}"),)
        yield Write(Key("grant", f"package-{number}"), b"{}", entries, patients=("p0",))


async def _ids(store: MemoryStore | SQLiteStore, query: Query) -> list[str]:
    found: list[str] = []
    while True:
        page = await store.search(query)
        ids = [version.key.id for version in page.versions]
        found = [*ids, *found] if query.back else [*found, *ids]
        if page.next is None:
            return found
        query = replace(query, after=page.next)


@pytest.mark.parametrize("tuning", [Tuning(), Tuning(5, 20), Tuning(0, 20)], ids=str)
def test_pages_are_those_of_memory(
    tmp_path: Path, tuning: Tuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SLICE", 3)
    chance = random.Random(7)

    async def run() -> None:
        memory = MemoryStore(lambda: 500)
        store = SQLiteStore(str(tmp_path / "hub.db"), lambda: 500, tuning=tuning)
        world = list(_world(chance))
        await memory.commit(world)
        await store.commit(world)
        for visible in _VISIBLE:
            for asked in _ASKED:
                for sort in _SORTS:
                    query = Query("Observation", both(visible, asked), now=500, sort=sort)
                    total = await store.count(query)  # from now on it is known who is permitted
                    query = replace(query, limit=chance.randint(1, 8), back=chance.random() < 0.5)
                    expected = await _ids(memory, query)
                    assert await _ids(store, query) == expected, query
                    assert total == len(expected)
        await store.close()

    asyncio.run(run())


def test_an_institution_of_several_ids_walks_by_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def move(self: Asked, size: int, *, down: bool) -> bool:
        sizes.append(size)
        return moved(self, size, down=down)

    moved = Asked.move
    monkeypatch.setattr(Asked, "move", move)

    async def run() -> None:
        store = SQLiteStore(str(tmp_path / "hub.db"), lambda: 500, tuning=Tuning(10, 20))
        await store.commit(list(_world(random.Random(7))))
        query = Query("Observation", either(_OURS, _PACKAGE, _GRANTED), now=500, limit=3)
        await store.count(query)
        await store.search(query)
        await store.close()

    asyncio.run(run())
    assert sizes == [runner.SLICE]


@pytest.mark.parametrize("down", [False, True])
def test_slices_are_everybody_once(down: bool) -> None:
    sets = [Permitted(range(2, 40, 2)), Permitted([7, 8, 9, 30]), Permitted([])]
    last = before(None, down=down)
    seen = []
    while (found := following(last, sets, 3, down=down)) is not None:
        assert all(sum(found.low < pid <= found.high for pid in each.pids) <= 3 for each in sets)
        seen.append(found)
        last = found
    seen = seen[::-1] if down else seen
    assert (seen[0].low, seen[-1].high) == (ALL.low, ALL.high)
    assert [each.high for each in seen[:-1]] == [each.low for each in seen[1:]]
