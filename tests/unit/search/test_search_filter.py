"""`_filter`. https://hl7.org/fhir/R4/search_filter.html"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.search import filter
from fhir_server.search.criteria import criterion
from fhir_server.search.filter import FilterError
from fhir_server.search.place import Place
from fhir_server.search.tree import InValueSet, Not, Subsumed

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PETER = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [{"family": "Van Dam", "given": ["Peter", "James"]}],
    "birthDate": "2014-10-10",
    "identifier": [{"system": "urn:s", "value": "1"}],
}
PULSE = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "8867-4"}]},
    "subject": {"reference": "Patient/p"},
    "effectivePeriod": {"start": "2024-01-01", "end": "2024-01-31"},
    "valueQuantity": {"value": 72, "system": UCUM, "code": "/min"},
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "a"}]},
            "valueQuantity": {"value": 1, "system": UCUM, "code": "g"},
        },
        {
            "code": {"coding": [{"system": LOINC, "code": "b"}]},
            "valueQuantity": {"value": 9, "system": UCUM, "code": "g"},
        },
    ],
}
RISK = {
    "resourceType": "RiskAssessment",
    "prediction": [{"probabilityDecimal": 5}],
}
SET = {"resourceType": "ValueSet", "url": "http://acme.org/fhir/ValueSet/x"}


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        # the specification's examples
        (PETER, 'name co "pet"', True),
        (PETER, 'given eq "peter" and birthdate ge 2014-10-10', True),
        (PULSE, "code eq http://loinc.org|8867-4", True),
        (PULSE, 'subject.name co "pet"', True),
        # strings
        (PETER, "given eq pete", False),
        (PETER, "given eq PETER", True),
        (PETER, "given ne Peter", True),
        (PETER, "family ne vandam", True),
        (PETER, 'family ne "van dam"', True),
        (PETER, 'family sw "van d"', True),
        (PETER, "given ew ter", True),
        (PETER, "given ew pet", False),
        (PETER, "given gt petea", True),
        (PETER, "given gt z", False),
        (PETER, "given le james", True),
        (PETER, "given pr true", True),
        (PETER, "phone pr true", False),
        (PETER, "phone pr false", True),
        # dates
        (PETER, "birthdate eq 2014-10", True),
        (PETER, "birthdate ne 2014-10", False),
        (PETER, "birthdate lt 2014-10-10", False),
        (PETER, "birthdate sa 2014-09", True),
        (PETER, "birthdate eb 2014-11", True),
        (PULSE, "date po 2024-01-31", True),
        (PULSE, "date po 2024-02", False),
        (PULSE, "date co 2024-01-15", True),
        (PULSE, "date co 2024", False),
        # tokens
        (PULSE, "code eq 8867-4", True),
        (PULSE, "code eq loinc|8867-4", True),
        (PULSE, "code eq snomed|8867-4", False),
        (PULSE, "code ne 8867-4", False),
        (PULSE, "code ne 8867-5", True),
        (PULSE, "code ne loinc|8867-4", False),
        (PULSE, "code ne snomed|8867-4", True),
        (PETER, "active eq true", True),
        (PETER, "identifier eq urn:s|1", True),
        # references
        (PULSE, "subject re Patient/p", True),
        (PULSE, "subject re Patient/q", False),
        (PULSE, "subject re https://hub.example/fhir/Patient/p", True),
        (PULSE, "subject ne Patient/p", False),
        (PULSE, "subject ne Patient/q", True),
        # quantities and numbers
        (PULSE, f"value-quantity eq 72|{UCUM}|/min", True),
        (PULSE, "value-quantity eq 1.2|ucum|Hz", True),
        (PULSE, "value-quantity gt 72|ucum|/min", False),
        (PULSE, "value-quantity ge 71.5", True),
        (RISK, "probability co 5", True),
        (RISK, "probability co 6", False),
        (RISK, "probability ap 5.2", True),
        # uris
        (SET, "url sw http://acme.org", True),
        (SET, "url co fhir", True),
        (SET, "url ew ValueSet/x", True),
        (SET, "url ew ValueSet", False),
        (SET, "url ss http://acme.org/fhir", True),
        (SET, "url ne http://acme.org", True),
        # of every record
        (PETER, "_id eq p", True),
        (PETER, "_id ne p", False),
        (PETER, "_id pr true", True),
        (PETER, "_lastUpdated ge 2025", True),
        (PETER, "_lastUpdated lt 2025", False),
        # logic
        (PETER, "given eq x or given eq y or given eq james", True),
        (PETER, "given eq peter and family eq smith", False),
        (PETER, "not (given eq peter)", False),
        (PETER, "not(family eq smith) and (given eq peter or given eq x)", True),
        (PETER, "given eq peter or given eq x and family eq smith", False),
        (PETER, "given eq peter or (given eq x and family eq smith)", True),
        (PETER, " ( ( given eq peter ) ) ", True),
        # chains
        (PULSE, "subject:Patient.family eq vandam", False),
        (PULSE, 'subject:Patient.family eq "van dam"', True),
        (PULSE, "subject[active eq true].given eq peter", True),
        (PULSE, "subject[active eq false].given eq peter", False),
        (PULSE, "patient[given eq peter and not (given eq x)].birthdate ge 2014", True),
        (PETER, "_has:Observation:subject:code eq loinc|8867-4", True),
        (PETER, "_has:Observation:subject:code eq loinc|x", False),
        # composites
        (PULSE, "code-value-quantity eq 8867-4$72", True),
        (
            PULSE,
            "component-code-value-quantity[component-code eq a].component-value-quantity lt 2",
            True,
        ),
        (
            PULSE,
            "component-code-value-quantity[component-code eq a].component-value-quantity gt 2",
            False,
        ),
        (
            PULSE,
            "component-code-value-quantity[component-code eq b].component-value-quantity "
            "ge 9000|ucum|mg",
            True,
        ),
        (PULSE, "component-code-value-quantity[component-code eq c].component-code pr true", False),
    ],
)
def test_filters(matches, resource, text, expected):
    assert matches(resource, f"_filter={text}", PETER, PULSE) is expected


def test_names_of_composites_that_filters_alone_have(matches):
    group = {
        "resourceType": "Group",
        "characteristic": [
            {"code": {"text": "x", "coding": [{"code": "age"}]}, "valueBoolean": True},
            {"code": {"coding": [{"code": "sex"}]}, "valueBoolean": False},
        ],
    }

    assert matches(group, "_filter=characteristic[code eq age].value eq true")
    assert not matches(group, "_filter=characteristic[code eq age].value eq false")


def test_several_filters_are_joined_by_and(matches):
    assert matches(PETER, "_filter=given eq peter&_filter=given eq james")
    assert not matches(PETER, "_filter=given eq peter&_filter=given eq x")


def test_a_chain_may_end_in_a_filter(matches):
    assert matches(PULSE, "subject:Patient._filter=given eq peter", PETER)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("code in ValueSet/x", InValueSet("code", "ValueSet/x")),
        ("code in http://acme.org/v|2", InValueSet("code", "http://acme.org/v|2")),
        ("code ni http://acme.org/v", Not(InValueSet("code", "http://acme.org/v"))),
        ("code ss loinc|1", Subsumed("code", "below", LOINC, "1")),
        ("code sb http://s|1", Subsumed("code", "above", "http://s", "1")),
    ],
)
def test_what_a_terminology_answers(read, text, node):
    assert read(f"Observation?_filter={text}").where == node


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "the name of a search parameter"),
        ("given", 6, "an operator"),
        ("given is x", 7, "an operator, one of"),
        ("given eq", 9, "a value"),
        ('given eq "x', 10, "JSON string"),
        (r'given eq "\q"', 10, "JSON string"),
        ("given eq x given eq y", 12, "and, or, or the end"),
        ("given eq x and", 15, "the name"),
        ("(given eq x", 12, r"\)"),
        ("not given eq x", 5, r"\("),
        ("given eq x)", 11, "and, or"),
        ("general-practitioner[active eq true] eq x", 38, r"\. and a name"),
        ("nothing eq x", 1, "no search parameter 'nothing'"),
        ("given eq x and colour eq y", 16, "no search parameter 'colour'"),
        ("birthdate eq soon", 1, "a date such as"),
        ("birthdate co soon", 1, "a date such as"),
        ("birthdate sw 2014", 1, "operator sw does not go with it; ap co eb eq"),
        ("given po x", 1, "operator po does not go with it"),
        ("given:exact eq x", 1, "operators take the place of modifiers"),
        ("given pr maybe", 1, "true or false"),
        ("given.family eq x", 1, "not a reference"),
        ("_id co x", 1, "eq ne pr do"),
    ],
)
def test_what_cannot_be_read_tells_the_column_and_what_was_expected(read, text, column, expected):
    with pytest.raises(BadRequest, match=rf"_filter, column {column}: .*{expected}"):
        read(f"Patient?_filter={text}")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "given eq x" + ")" * 500,
        "not(" * 500 + "given eq x" + ")" * 500,
        " or ".join("given eq x and given eq y" for _ in range(300)),
        " and ".join("given eq x" for _ in range(3000)),
        "link" + ".link" * 500 + " re x",
        "link[" * 500 + "given eq x",
        "not (" * 22 + "a eq x" + ") or a eq y and a eq z" * 22,
    ],
)
def test_a_hostile_filter_is_refused(read, text):
    with pytest.raises(BadRequest, match="_filter, column"):
        read(f"Patient?_filter={text}")


def test_chains_in_filters_are_as_deep_as_others(read):
    with pytest.raises(BadRequest, match="8 references at most"):
        read(f"Encounter?_filter={'part-of.' * 9}status eq finished")


def test_a_string_is_json():
    text = r'family eq "Van\u0020\"Dam\""'

    assert filter.read(text).value == 'Van "Dam"'


TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@given(TEXT | st.text('given eq"()[].| and or', max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(FilterError):
        filter.read(text)


def test_a_comma_in_a_filter_is_a_comma(definitions, terms):
    place = Place(definitions, terms, "Patient", 8)

    alone = criterion(place, "_filter", 'identifier eq "a,b"')

    assert alone.all[0].value == "a,b"
