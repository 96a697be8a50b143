"""Words as full text keeps them. https://hl7.org/fhir/R4/search.html#content"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.phrases import phrase
from fhir_server.search.words import BREAK, LONGEST, MOST, kept, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acute Heart-Failure", ["acute", "heart", "failure"]),
        ("85354-9", ["85354", "9"]),
        ("I10.x00", ["i10", "x00"]),
        ("O'Brien’s", ["obriens"]),
        ("naïve Ünal", ["naive", "unal"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("原发性高血压", ["原发", "发性", "性高", "高血", "血压", "压"]),
        ("B超，正常", ["b", "超", "正常", "常"]),
        ("\U00020000\U00020001", ["\U00020000\U00020001", "\U00020001"]),
        ("_-!？", []),
        ("x" * 100, ["x" * LONGEST]),
    ],
)
def test_words_of_a_text(text, expected):
    assert words(text) == expected


def test_no_more_than_a_bounded_number_is_kept():
    assert len(kept("a " * (MOST + 5)).split()) == MOST


def test_no_phrase_reaches_from_one_text_into_the_next():
    assert " a b " not in kept(f"a{BREAK}b")


@given(st.text(), st.text(), st.text())
def test_every_part_of_running_chinese_is_found(before, part, after):
    """Whatever stands around it, a part of Chinese text is found inside of it."""
    sought = f"压{part}血"
    if len(words(sought)) <= 100:
        assert phrase("content", sought).sought in kept(f"{before}高{sought}高{after}")


@given(st.text())
def test_any_text_has_only_words_that_stay_themselves(text):
    for word in kept(text).split():
        assert word == "¶" or words(word)[0] == word
