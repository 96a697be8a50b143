"""Predicates nested deeper than an expression of SQL may be: all stores still give one answer."""

import asyncio
import random
from collections.abc import Callable

import pytest

from fhir_server.model import Query
from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    InPatient,
    Match,
    Node,
    Not,
    Or,
    Together,
    Words,
)
from tests.contract import worlds
from tests.contract.opened import NOW, Open, stores


def _leaf(chance: random.Random) -> Node:
    value = chance.choice(worlds.MIXED)
    return chance.choice(
        (
            Match("code", (Cond("v", "=", chance.choice(worlds.CODES)),)),
            Match("mixed", (Cond("v", chance.choice((">", "<=")), value),)),
            Match("date", (Cond("v", "<", chance.randrange(12)),)),
            Together("both", ((Cond("v", ">=", value),), ())),
            Words("content", (chance.choice(("high", "a", "血压")),)),
            InPatient(chance.choice(worlds.PEOPLE)),
            ForEachPatient("grant", Match("code", (Cond("v", "=", chance.choice("xy")),))),
            Contained("grant", Match("mixed", (Cond("v", "<", chance.randrange(12)),))),
        )
    )


def _joined(chance: random.Random, inner: Node) -> Node:
    type = chance.choice(("Observation", "grant"))
    canonical = chance.random() < 0.3
    param = "to" if canonical else "ref"
    if chance.random() < 0.5:
        return Chain(param, type, inner, canonical)
    return Has(type, param, inner, canonical)


def _deep(chance: random.Random, depth: int, hops: int) -> Node:
    """Return a tree of so many levels, whose outcome hangs on the deepest one now and then."""
    if not depth:
        return _leaf(chance)
    if hops and chance.random() < 0.08:
        return _joined(chance, _deep(chance, depth - 1, hops - 1))
    inner = _deep(chance, depth - 1, hops)
    beside = _leaf(chance)
    if chance.random() < 0.1:
        beside = _deep(chance, depth // 3, min(hops, 1))
    match chance.randrange(3):
        case 0:
            return Not(Or((beside, inner)))
        case 1:
            return Not(And((inner, Not(beside))))
        case _:
            return chance.choice((And, Or))((inner, beside))


def _contained(chance: random.Random, depth: int) -> Node:
    said = Match("code", (Cond("v", "=", chance.choice(worlds.CODES)),))
    for _ in range(depth):
        beside = Match("mixed", (Cond("v", "<", chance.choice(worlds.MIXED)),))
        said = Not(chance.choice((And, Or))((said, beside)))
    return Contained("grant", said, chance.choice(("", "ref")))


def _agree(empty: Open, made: Callable[[random.Random], Node]) -> None:
    async def run() -> None:
        async with stores(empty) as (memory, disks, _):
            chance = random.Random(29)
            writes = worlds.rich(chance)
            for start in range(0, len(writes), 20):
                for store in (memory, disks[0]):
                    await store.commit(writes[start : start + 20])
            sizes = set()
            for where in [made(chance) for _ in range(25)]:
                query = Query("Observation", where, limit=100, now=NOW)
                expected = await memory.search(query)
                sizes.add(len(expected.versions))
                for disk in disks:
                    assert (await disk.search(query)).versions == expected.versions
                    assert await disk.count(query) == len(expected.versions)
            assert len(sizes) > 5

    asyncio.run(run())


@pytest.mark.parametrize("depth", [5, 12, 24])
def test_nested_deep(empty: Open, depth: int) -> None:
    _agree(empty, lambda chance: _deep(chance, depth, 0))


@pytest.mark.parametrize("depth", [8, 24])
def test_nested_deep_around_joins(empty: Open, depth: int) -> None:
    _agree(empty, lambda chance: _deep(chance, depth, 3))


@pytest.mark.parametrize("depth", [8, 40])
def test_nested_deep_in_what_is_contained(empty: Open, depth: int) -> None:
    _agree(empty, lambda chance: _contained(chance, depth))
