"""`_text` and `_content`: words, phrases, and, or, not. https://hl7.org/fhir/R4/search.html#content"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.model import Key, Text
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.phrases import LONGEST, phrases
from fhir_server.search.words import BREAK, kept

SAID = Text(
    kept("Bone metastases"),
    kept(BREAK.join(("Hypertension 85354-9", "原发性高血压", "O'Brien", "acute heart failure"))),
)
RECORD = Plain(Key("Condition", "c"), 0, (), (), SAID)


def found(text, scope="content"):
    return evaluate(phrases(scope, text), RECORD)


@pytest.mark.parametrize(
    "text",
    [
        "hypertension",
        "HYPERTENSION heart",
        "(bone OR liver) and metastases",
        "liver, bone",
        "liver | heart",
        "liver and x or heart",
        '"acute heart"',
        "“acute heart”",
        "（liver or heart）",
        "not liver",
        "-liver",
        '-"heart acute"',
        "heart -(liver or kidney)",
        "hyper*",
        '"acute hea*"',
        "85354-9",
        "obrien",
        "o’brien",
        "血压",
        "高血压",
        "性高",
        "血",
        "压",
        "原发性高血压",
        "高血压 heart",
        "&  bone",
        r"bone\, metastases",
    ],
)
def test_is_found(text):
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "hyper",
        "liver",
        "hypertension liver",
        '"heart acute"',
        '"metastases hypertension"',
        "not hypertension",
        "-血压",
        "血高",
        "压血",
        "85354-8",
        "9-85354",
        "bone -metastases",
        "heart (liver or kidney)",
        "liver or kidney and heart",
    ],
)
def test_is_not_found(text):
    assert not found(text)


def test_text_is_about_the_narrative_alone():
    assert found("bone", "text")
    assert not found("hypertension", "text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!?",
        "and",
        "bone or",
        "bone or or liver",
        "not",
        "(bone",
        "bone)",
        "()",
        '"bone',
        '""',
        "(" * 50 + "a" + ")" * 50,
        "not " * 50_000 + "a",
        f'"{"x " * (LONGEST + 1)}"',
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        phrases("content", text)


@given(st.text('ab"()-,|&* \\高血压or', max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        node = phrases("content", text)
    except ValueError:
        return
    assert evaluate(node, RECORD) in (True, False)
