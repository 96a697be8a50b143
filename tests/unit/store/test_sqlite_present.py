"""Alternatives that no record satisfies are left out."""

from collections.abc import Callable
from contextlib import closing

import pytest

from fhir_server.model import Entry, Key, Write
from fhir_server.search.tree import (
    NOTHING,
    NOW,
    And,
    Chain,
    Cond,
    Match,
    Node,
    Not,
    Or,
    Together,
)
from fhir_server.store.sqlite import schema
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.present import present
from fhir_server.store.sqlite.store import SQLiteStore

With = Callable[..., None]
Left = Callable[[Node], Node]


def _is(param: str, *values: str | int) -> Match:
    cond = Cond("v", "=", values[0]) if len(values) == 1 else Cond("v", "in", values)
    return Match(param, (cond,))


def _both(param: str, code: str) -> Together:
    return Together(param, ((Cond("v", "=", code),), (Cond("v", ">", 1),)))


X, Y = _is("code", "x"), _is("part", "y")
WRITES = [
    Write(Key("Basic", "1"), b"{}", (Entry("code", "x"), Entry("whole.0", "x", group=1))),
    Write(Key("Basic", "2"), b"{}", (Entry("part", "y"), Entry("code", "other"))),
]


@pytest.fixture
def left(path: str, with_store: With) -> Left:
    """Tell what is left of a predicate on a Basic."""

    async def body(store: SQLiteStore) -> None:
        await store.commit(WRITES)

    with_store(body)

    def ask(node: Node) -> Node:
        with closing(schema.connect(path)) as connection:
            return present(connection, Names(), "Basic", node)

    return ask


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Or((X, _is("part", "x"))), X),
        (Or((_is("never", "x"), X)), X),
        (Or((X, Y)), Or((X, Y))),
        (Or((_is("code", "z"), _is("part", "z"))), NOTHING),
        (Or((_is("code", "z", "x"), _is("part", "z", "x"))), _is("code", "z", "x")),
        (Or((_both("whole", "x"), _both("component", "x"))), _both("whole", "x")),
        (Not(Or((X, _is("part", "x")))), Not(X)),
        (And((Or((X, _is("part", "x"))), Y)), And((X, Y))),
        (
            Chain("ref", "Basic", Or((X, _is("part", "x")))),
            Chain("ref", "Basic", X),
        ),
    ],
)
def test_what_no_record_says_is_left_out(left: Left, asked: Node, expected: Node) -> None:
    assert left(asked) == expected


@pytest.mark.parametrize(
    "other",
    [Match("part"), Match("part", (Cond("v", "=", NOW),)), Match("none", (Cond("v", ">", 1),))],
)
def test_alternatives_that_no_index_answers_stay(left: Left, other: Node) -> None:
    node = Or((_is("code", "z"), other))

    assert left(node) == node


def test_values_beyond_the_range_may_be_asked_for(left: Left) -> None:
    assert left(Or((X, _is("part", 2**70)))) == X
