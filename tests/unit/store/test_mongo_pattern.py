"""Many pieces of text as few regular expressions."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.errors import TooCostly
from fhir_server.store.mongo.pattern import LONGEST, endings, patterns

PIECES = st.lists(st.text("ab.|(压", min_size=1, max_size=5), min_size=1, max_size=20)
TEXTS = st.text("ab.|(压", max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PIECES, TEXTS)
def test_a_piece_is_found_wherever_it_stands(pieces: list[str], text: str) -> None:
    found = any(re.search(each, text) for each in patterns(pieces))

    assert found == any(piece in text for piece in pieces)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PIECES, TEXTS)
def test_an_ending_is_found_at_the_end(pieces: list[str], text: str) -> None:
    found = any(re.search(each.replace(r"\z", r"\Z"), text) for each in endings(pieces))

    assert found == text.endswith(tuple(pieces))


def test_thousands_of_pieces_are_several_expressions_of_a_bounded_length() -> None:
    found = list(patterns(f"{n:05} is the number of a piece" for n in range(3000)))

    assert 1 < len(found) < 10
    assert all(len(each) <= LONGEST for each in found)


def test_pieces_that_begin_alike_nest_no_deeper_than_an_expression_may() -> None:
    pieces = ["a" * n + "b" for n in range(1, 3000, 30)]

    assert all(re.search(each, "aab") is None for each in patterns(pieces[1:]))
    assert any(re.search(each, pieces[7]) for each in patterns(pieces))


def test_a_piece_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooCostly):
        list(patterns(["a" * (LONGEST + 1)]))
