"""String parameters. https://hl7.org/fhir/R4/search.html#string"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.search.escape import escape, split, unescape
from fhir_server.search.fold import fold


def named(**name: object) -> dict:
    return {"resourceType": "Patient", "name": [name]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("given=eve", True),
        ("given=EVE", True),
        ("given=vely", False),
        ("given:contains=vely", True),
        ("given:contains=VELY", True),
        ("given:exact=Evelyn", True),
        ("given:exact=evelyn", False),
        ("given:exact=Eve", False),
        ("family=muller", True),
        ("family=MÜLLER", True),
        ("family:exact=Müller-Lüdenscheidt", True),
        ("family:exact=Muller-Ludenscheidt", False),
        ("family=lüdenscheidt", True),
        ("family:exact=Lüdenscheidt", False),
        ("name=dr", True),
        ("name=evelyn", True),
        ("name=müller", True),
        ("name=nobody,eve", True),
        ("name=nobody", False),
        ("family:missing=false", True),
        ("address:missing=true", True),
    ],
)
def test_strings_compare_from_the_start_without_case_and_accents(matches, query, expected):
    eve = named(family="Müller-Lüdenscheidt", given=["Evelyn", "R."], prefix=["Dr."])

    assert matches(eve, query) is expected


@pytest.mark.parametrize(
    "query", ["name=张三", "name=张", "name=三丰", "family=张", "name:contains=三", "name=张三丰"]
)
def test_chinese_names_are_found_whole_and_in_parts(matches, query):
    assert matches(named(family="张", given=["三丰"]), query)


def test_full_width_letters_are_the_same_letters(matches):
    assert matches(named(text="ＷＡＮＧ Ｘｉａｏ"), "name=wang x")


def test_punctuation_and_repeated_space_are_ignored(matches):
    assert matches(named(text="O'Brien,   Pat"), "name=obrien pat")


def test_address_is_searched_in_all_its_parts(matches):
    address = {"line": ["人民路1号"], "city": "成都市", "postalCode": "610000", "use": "home"}
    patient = {"resourceType": "Patient", "address": [address]}

    for text in ("人民路", "成都", "6100"):
        assert matches(patient, f"address={text}"), text
    assert not matches(patient, "address=home")
    assert matches(patient, "address-use=home")


@pytest.mark.parametrize(
    "variant",
    [
        {"valueString": "c.76A>T"},
        {"valueCodeableConcept": {"text": "C.76a>t"}},
        {"valueCodeableConcept": {"coding": [{"code": "x", "display": "c.76A>T"}]}},
        {"valueCoding": {"code": "x", "display": "c.76A>T"}},
    ],
)
def test_coded_value_is_searched_by_its_words(matches, variant):
    url = "http://hl7.org/fhir/StructureDefinition/observation-geneticsDnaVariant"
    observation = {"resourceType": "Observation", "extension": [{"url": url, **variant}]}

    assert matches(observation, "dna-variant=C76A")


def test_comma_and_backslash_may_be_meant(matches):
    patient = named(text="a,b\\c")

    assert matches(patient, "name:exact=a\\,b\\\\c")
    assert not matches(patient, "name:exact=a,b\\\\c")


def test_value_that_reads_as_nothing_is_refused(read):
    with pytest.raises(BadRequest, match=r"name= .*expected some text"):
        read("Patient?name= ")


TEXT = st.text(max_size=20)


@given(TEXT)
def test_folding_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(TEXT)
def test_folding_ignores_case_and_composition(text):
    assert fold(text.casefold()) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(TEXT)
def test_only_blank_text_folds_to_nothing(text):
    assert bool(fold(text)) is bool(fold(text).strip())


@given(st.text(alphabet="一丁张三李四王五患者", min_size=1))
def test_chinese_stays_as_it_is(text):
    assert fold(text) == text


@given(TEXT)
def test_escaped_text_comes_back_whole(text):
    assert unescape(escape(text)) == text
    for mark in ",$|":
        assert split(escape(text), mark) == [escape(text)]


@given(st.lists(TEXT, min_size=1, max_size=5), st.sampled_from(",$|"))
def test_list_of_escaped_texts_splits_as_it_was_joined(texts, mark):
    assert [unescape(each) for each in split(mark.join(map(escape, texts)), mark)] == texts
