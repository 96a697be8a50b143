"""Long lists of alternatives of every kind: all stores give the answer of the tree itself."""

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest

from fhir_server.model import Query
from fhir_server.search.evaluate import evaluate
from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    Match,
    Near,
    Node,
    Not,
    Or,
    Together,
    Updated,
    Words,
)
from tests.contract import worlds
from tests.contract.opened import NOW, Open, stores

Made = Callable[[random.Random], Node]

_VALUES = (*worlds.MIXED, -3, 5, 7.25, "", "xx", "yz", "z")


def _conds(chance: random.Random, columns: str) -> tuple[Cond, ...]:
    """Return what one alternative asks of an entry, now and then what nothing satisfies."""
    found: list[Cond] = []
    for column in columns:
        op = chance.choice(("=", "<", "<=", ">", ">=", "prefix", "contains", "suffix", "in"))
        value = chance.choice(_VALUES)
        if op == "in":
            found.append(Cond(column, "in", tuple(chance.sample(_VALUES, 3))))
        elif op in ("prefix", "contains", "suffix"):
            found.append(Cond(column, op, chance.choice(("x", "y", "xy", "", "\ud7ff", "http"))))
        else:
            found.append(Cond(column, op, value))
    return tuple(found)


def _match(chance: random.Random) -> Node:
    columns = chance.choice(("v", "v", "w", "vw", "vv", "vu", "vwu"))
    return Match(chance.choice(("mixed", "mixed", "code")), _conds(chance, columns))


def _span(chance: random.Random) -> Node:
    low, high = sorted((chance.randrange(-2, 14), chance.randrange(-2, 16)))
    choices = (
        (Cond("v", ">=", low), Cond("v", "<", high), Cond("w", "<=", high)),
        (Cond("v", ">=", low), Cond("w", "<=", high)),
        (Cond("v", "<", high), Cond("w", ">", low)),
        (Cond("v", "<", low),),
        (Cond("w", ">", high),),
    )
    return Match("date", chance.choice(choices))


def _pair(chance: random.Random) -> Node:
    code = Cond("v", "=", chance.choice((*worlds.CODES, "none")))
    return Match("code", (code, Cond("w", "=", chance.choice((*worlds.SYSTEMS, "http://u")))))


def _together(chance: random.Random) -> Node:
    parts = (_conds(chance, chance.choice(("v", "vv", ""))) for _ in range(2))
    return Together("both", tuple(parts))


def _both(chance: random.Random) -> Node:
    return And((Match("mixed", _conds(chance, "v")), Match("code", _conds(chance, "v"))))


def _mixed(chance: random.Random) -> Node:
    others = (
        Not(_match(chance)),
        Chain("ref", "grant", _pair(chance)),
        _words(chance),
        _near(chance),
    )
    return And((chance.choice((_pair(chance), _words(chance))), chance.choice(others)))


def _words(chance: random.Random) -> Words:
    words = tuple(
        chance.choices(("high", "a", "b", "血压", "压", "高", "none"), k=chance.randint(0, 2))
    )
    scope = chance.choice(("text", "content"))
    return Words(scope, words, begins=bool(words) and chance.random() < 0.3)


def _text(chance: random.Random) -> Node:
    one, other = _words(chance), _words(chance)
    return chance.choice(
        (one, one, And((one, other)), And((one, Not(other))), Or((one, Not(other))))
    )


def _near(chance: random.Random) -> Node:
    return Near("near", *chance.choice(worlds.PLACES), chance.choice(worlds.AWAY))


def _updated(chance: random.Random) -> Node:
    low = chance.randrange(0, 60)
    return Updated((Cond("v", ">=", low), Cond("v", "<", low + chance.randrange(3))))


KINDS: dict[str, Made] = {
    "matches": _match,
    "spans": _span,
    "pairs": _pair,
    "together": _together,
    "both": _both,
    "mixed": _mixed,
    "text": _text,
    "near": _near,
    "updated": _updated,
}


def _list(chance: random.Random, made: Made) -> Node:
    """Return a list that is not true of everything, if it can be helped: half of its alternatives
    hold of one record alone."""
    return Or(tuple(made(chance) for _ in range(chance.choice((18, 30, 60)))))


def _around(chance: random.Random, listed: Node) -> Node:
    return chance.choice(
        (
            listed,
            Not(listed),
            And((listed, Match("code", (Cond("v", "=", "x"),)))),
            And((Match("mixed", (Cond("v", ">", 2),)), Not(listed))),
            Or((listed, Match("code", (Cond("v", "=", "y"),)))),
            Chain("ref", "Observation", listed),
            Has("grant", "ref", listed),
            And((listed, Chain("ref", "grant", listed))),
        )
    )


def _agree(empty: Open, asked: Sequence[Node]) -> None:
    async def run() -> None:
        async with stores(empty) as (memory, disks, clock):
            writes = worlds.rich(random.Random(5))
            for clock[0], start in enumerate(range(0, len(writes), 4)):
                for store in (memory, disks[0]):
                    await store.commit(writes[start : start + 4])
            for where in asked:
                query = Query("Observation", where, limit=100, now=NOW)
                expected = await memory.search(query)
                records = memory._living.types["Observation"].values()
                plainly = {r.key for r in records if evaluate(where, r, memory._living, NOW)}
                assert {version.key for version in expected.versions} == plainly
                for disk in disks:
                    assert (await disk.search(query)).versions == expected.versions
                    assert await disk.count(query) == len(expected.versions)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_long_lists(empty: Open, kind: str) -> None:
    chance = random.Random(kind)
    _agree(empty, [_around(chance, _list(chance, KINDS[kind])) for _ in range(30)])


def test_long_lists_of_all_kinds(empty: Open) -> None:
    chance = random.Random(3)
    lists = [Or(tuple(_list(chance, made) for made in KINDS.values())) for _ in range(3)]
    _agree(empty, [_around(chance, each) for each in lists])


def test_long_lists_of_what_is_contained(empty: Open) -> None:
    chance = random.Random(4)
    said = [_list(chance, KINDS[kind]) for kind in ("matches", "pairs", "together", "both") * 5]
    _agree(empty, [Contained("grant", each, chance.choice(("", "ref"))) for each in said])


def test_long_lists_of_what_a_grant_opens(empty: Open) -> None:
    chance = random.Random(6)
    date = Match("date", (Cond("v", "<", 11),))
    for made in (_match, _pair, _both):
        opened = (
            And(
                (
                    ForEachPatient("grant", And((date, Match("code", (Cond("v", "=", v),))))),
                    made(chance),
                )
            )
            for v in (*worlds.CODES, *(f"c{n}" for n in range(30)))
            for _ in range(20)
        )
        _agree(empty, [Or(tuple(opened))])
