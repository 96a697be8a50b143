"""What of a resource is text. https://hl7.org/fhir/R4/search.html#content"""

import pytest

from fhir_server.model import NO_TEXT
from fhir_server.search.text import text_of


def test_narrative_and_all_else_are_kept_apart():
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Told</p></div>'
    found = text_of({"text": {"status": "generated", "div": div}, "title": "Said"})

    assert [part.split() for part in found] == [["¶", "¶", "told", "¶", "¶"], ["said"]]


@pytest.mark.parametrize(
    "resource",
    [
        {
            "resourceType": "Patient",
            "id": "secret",
            "meta": {"source": "x", "tag": [{"code": "t"}]},
        },
        {"subject": {"reference": "Patient/p1"}},
        {"identifier": [{"system": "http://acme.org/mrn"}]},
        {"url": "http://acme.org/plan", "valueUri": "urn:oid:1.2.3"},
        {"birthDate": "1960-02-03", "issued": "2024-01-02T03:04:05+08:00", "time": "08:30:00"},
        {"data": "aGVsbG8=", "hash": "aGVsbG8=", "valueBase64Binary": "aGVsbG8="},
        {"valueInteger": 5, "active": True, "gone": None},
    ],
)
def test_what_other_parameters_find_is_no_text(resource):
    assert text_of(resource) == NO_TEXT


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        ({"code": {"coding": [{"code": "I10", "display": "Hypertension"}]}}, "hypertension"),
        ({"code": {"coding": [{"code": "I10", "display": "Hypertension"}]}}, "i10"),
        ({"name": [{"family": "Müller"}]}, "muller"),
        ({"identifier": [{"value": "MRN-7"}]}, "mrn"),
        ({"contained": [{"resourceType": "Medication", "code": {"text": "Aspirin"}}]}, "aspirin"),
        ({"extension": [{"url": "http://x.org", "valueString": "extra"}]}, "extra"),
        ({"contained": [{"text": {"div": "<div>told</div>"}}]}, "told"),
        ({"text": "a text that is no narrative"}, "narrative"),
    ],
)
def test_what_is_said_in_words_is_text(resource, word):
    assert f" {word} " in text_of(resource).rest


@pytest.mark.parametrize(
    ("div", "expected"),
    [
        ("<div>高<b>血</b>压</div>", "高血 血压 压"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<p>5 &lt; 6 &#39640;</p>", "5 6 高"),
        ('<p title="hidden">seen<br/>next</p>', "seen next"),
        ("< < < <", ""),
    ],
)
def test_narrative_is_what_its_reader_sees(div, expected):
    found = text_of({"text": {"div": div}}).narrative

    assert " ".join(word for word in found.split() if word != "¶") == expected


def test_a_broken_narrative_is_read_in_a_time_that_grows_with_its_length():
    assert text_of({"text": {"div": "<" * 200_000}}) == NO_TEXT
