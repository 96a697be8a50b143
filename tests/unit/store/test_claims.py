"""Whatever write satisfies an `unless`, the two touch the same claim."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.tree import EVERYTHING, NOTHING, And, Cond, Match, Node, Or
from fhir_server.store.mongo import claims
from tests.contract import worlds


@st.composite
def _satisfied(draw: st.DrawFn) -> tuple[Write, Node]:
    """A write, and a tree that it satisfies."""
    write = draw(worlds.writes.filter(lambda write: any(not e.path for e in write.entries)))
    found = draw(st.sampled_from([entry for entry in write.entries if not entry.path]))
    conds = [Cond("v", "=", found.v), Cond("v", "in", ("other", found.v)), Cond("w", "=", found.w)]
    mine = Match(found.param, tuple(draw(st.lists(st.sampled_from(conds), max_size=2))))
    other = draw(worlds.trees)
    where: Node = draw(st.sampled_from((mine, And((other, mine)), Or((mine, other)), Or((other,)))))
    assume(evaluate(where, Plain(write.key, 1, write.entries, write.patients)))
    return write, where


@pytest.fixture(autouse=True, scope="module")
def _parameters_of_the_worlds_identify() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "IDENTIFYING", frozenset({"code", "mixed"}))
        yield


@given(_satisfied(), st.integers(0, 100))
def test_a_write_that_satisfies_meets_the_unless(both: tuple[Write, Node], process: int) -> None:
    write, where = both
    unless = Write(Key("Basic", "new"), None, unless=Query(write.key.type, where))

    touched = claims.claims([[write]], process)

    assert set(touched) & set(claims.claims([[unless]], 0))


def test_a_plain_write_leaves_other_processes_alone() -> None:
    first, second = (Write(Key("Patient", id), b"", (Entry("code", id),)) for id in "ab")

    assert not set(claims.claims([[first]], 1)) & set(claims.claims([[second]], 2))


def test_an_identifying_value_is_all_that_an_unless_claims() -> None:
    value = Match("code", (Cond("w", "=", "s"), Cond("v", "=", "x")))
    unless = Write(Key("Patient", "a"), None, unless=Query("Patient", value))
    bare = replace(unless, unless=Query("Patient", And((EVERYTHING, Match("code", value.all[1:])))))

    assert len(claims.claims([[unless]], 0)) == 1
    assert claims.claims([[unless]], 0) == claims.claims([[bare]], 1)


def test_one_alternative_without_a_value_claims_the_whole_type() -> None:
    value = Match("code", (Cond("v", "=", "x"),))
    either = Write(
        Key("Patient", "a"), None, unless=Query("Patient", Or((value, Match("name"), NOTHING)))
    )

    assert len(claims.claims([[either]], 0)) == claims.STRIPES
