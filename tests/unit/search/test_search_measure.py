"""Scores and distances: of one record and one question alone."""

import pytest

from fhir_server.model import NO_TEXT, Entry, Text
from fhir_server.search.measure import BEST, measured, score
from fhir_server.search.tree import Near, Words
from fhir_server.search.words import kept

BLOOD = Words("content", ("blood",))


def scored(text, *sought):
    return score(Text(rest=kept(text)), sought or (BLOOD,))


def test_more_mentions_score_higher():
    assert scored("blood") < scored("blood and blood") < scored("blood or blood or blood") < BEST


def test_the_same_mention_scores_lower_in_a_longer_text():
    assert scored("blood" + " other" * 200) < scored("blood")


def test_several_phrases_are_averaged():
    assert scored("blood", BLOOD, Words("content", ("liver",))) == scored("blood") // 2


def test_the_least_score_is_above_zero():
    assert score(NO_TEXT, [BLOOD]) == 1


def test_what_is_asked_of_the_narrative_is_scored_in_it():
    text = Text(kept("blood"), kept("blood " * 50))

    assert score(text, [Words("text", ("blood",))]) == 500


def test_the_nearest_of_several_places_counts():
    places = (Near("near", 10.0, 10.0, 1.0), Near("near", 31.0, 121.0, 1.0))

    assert measured(places, [Entry("near", 31.0, 121.0)]) == 0


@pytest.mark.parametrize("entries", [[], [Entry("near", 1.0, 1.0, path="#a")], [Entry("x", 1, 1)]])
def test_what_has_no_position_has_no_distance(entries):
    assert measured((Near("near", 1.0, 1.0, 1.0),), entries) is None
