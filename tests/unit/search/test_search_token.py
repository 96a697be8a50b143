"""Token parameters. https://hl7.org/fhir/R4/search.html#token"""

import pytest

from fhir_server.errors import BadRequest

LOINC = "http://loinc.org"
PRESSURE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {
        "coding": [
            {"system": LOINC, "code": "85354-9", "display": "Blood pressure panel"},
            {"code": "BP"},
            {"system": "urn:s", "display": "no code"},
        ],
        "text": "血压 Blutdruck",
    },
}
WANG = {
    "resourceType": "Patient",
    "id": "wang",
    "active": True,
    "gender": "female",
    "identifier": [
        {
            "system": "urn:mrn",
            "value": "A,1|2",
            "type": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
                ],
                "text": "住院号",
            },
        }
    ],
    "telecom": [{"system": "phone", "value": "555 0101"}, {"system": "email", "value": "w@x.cn"}],
    "communication": [{"language": {"coding": [{"code": "zh-CN"}]}}],
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=85354-9", True),
        ("code=85354", False),
        (f"code={LOINC}|85354-9", True),
        ("code=http://snomed.info/sct|85354-9", False),
        ("code=|85354-9", False),
        ("code=BP", True),
        ("code=|BP", True),
        (f"code={LOINC}|BP", False),
        (f"code={LOINC}|", True),
        ("code=urn:s|", True),
        ("code=http://snomed.info/sct|", False),
        ("code=x,y,85354-9", True),
        (f"code={LOINC}|x,{LOINC}|85354-9", True),
        (f"code={LOINC}|x,{LOINC}|y", False),
        ("code:not=85354-9", False),
        ("code:not=x", True),
        ("code:not=x,BP", False),
        ("code:text=blood", True),
        ("code:text=BLUTDRUCK", True),
        ("code:text=血压", True),
        ("code:text=panel", True),
        ("code:text=blood pres", True),
        ("code:text=lood", False),
        ("code:text=pressure blood", False),
        ("code:text=压", True),
        ("code:missing=false", True),
        ("code:missing=true", False),
        ("value-concept:missing=true", True),
        ("value-concept:not=x", True),
        ("status=final", True),
        ("status=http://hl7.org/fhir/observation-status|final", True),
        ("status=http://hl7.org/fhir/observation-status|amended", False),
        ("status=http://hl7.org/fhir/observation-status|", True),
        ("status=urn:other|final", False),
        ("status=|final", True),
    ],
)
def test_observation_is_found_by_its_codes(matches, query, expected):
    assert matches(PRESSURE, query) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("active=true", True),
        ("active=false", False),
        ("gender=female", True),
        ("gender=http://hl7.org/fhir/administrative-gender|female", True),
        ("deceased=false", True),
        ("identifier=urn:mrn|A\\,1\\|2", True),
        ("identifier=A\\,1\\|2", True),
        ("identifier=urn:mrn|", True),
        ("identifier=urn:other|A\\,1\\|2", False),
        ("identifier:text=住院", True),
        (
            "identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|A\\,1\\|2",
            True,
        ),
        ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|A\\,1\\|2", False),
        ("phone=555 0101", True),
        ("phone=w@x.cn", False),
        ("email=w@x.cn", True),
        ("telecom=555 0101,none", True),
        ("language=zh-CN", True),
    ],
)
def test_patient_is_found_by_identifiers_and_flags(matches, query, expected):
    assert matches(WANG, query) is expected


def test_plain_strings_are_not_case_sensitive(matches):
    drug = {"resourceType": "Medication", "batch": {"lotNumber": "Lot-7A"}}

    assert matches(drug, "lot-number=Lot-7A")
    assert matches(drug, "lot-number=LOT-7a")
    assert not matches(drug, "lot-number=lot-7")


def test_codes_are_case_sensitive(matches):
    assert not matches(PRESSURE, "code=bp")


def test_text_alone_is_not_missing(matches):
    said = {"resourceType": "Observation", "code": {"text": "something"}}

    assert matches(said, "code:missing=false")


@pytest.mark.parametrize("text", ["|", "a|b|c", "a,,b", ","])
def test_what_is_no_token_is_refused(read, text):
    with pytest.raises(BadRequest, match="code"):
        read(f"Observation?code={text}")


@pytest.mark.parametrize("text", ["a|b", "a|b|", "|b|c", "x"])
def test_of_type_needs_all_three_parts(read, text):
    with pytest.raises(BadRequest, match="all three"):
        read(f"Patient?identifier:of-type={text}")


@pytest.mark.parametrize("modifier", ["above", "below"])
@pytest.mark.parametrize("text", ["8867-4", "http://loinc.org|", "|8867-4", "a|b|c"])
def test_what_stands_above_or_below_needs_a_system_and_a_code(read, modifier, text):
    with pytest.raises(BadRequest, match=r"expected system\|code"):
        read(f"Observation?code:{modifier}={text}")


def test_a_bare_code_is_of_the_system_that_its_element_implies(read):
    found = read("Observation?status:below=final").where

    assert (found.system, found.code) == ("http://hl7.org/fhir/observation-status", "final")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Observation?code:exact=x", "allowed here: :missing, :text, :not"),
        ("Patient?name:not=x", "allowed here: :missing, :exact, :contains"),
        ("Patient?birthdate:exact=2000", "allowed here: :missing"),
        ("Observation?code-value-quantity:missing=true", "allowed here: none"),
        ("Observation?subject:Foo=1", "one of the types :Group"),
        ("Patient?_id:exact=1", ":missing"),
        ("Patient?_lastUpdated:not=2020", ":missing"),
    ],
)
def test_modifier_that_does_not_go_with_the_type_names_those_that_do(read, query, message):
    with pytest.raises(BadRequest, match=message):
        read(query)


def test_missing_takes_true_or_false_alone(read):
    with pytest.raises(BadRequest, match="expected true or false"):
        read("Patient?gender:missing=yes")
