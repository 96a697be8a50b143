"""Number and quantity parameters. https://hl7.org/fhir/R4/search.html#number"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.search import number

UCUM = "http://unitsofmeasure.org"


def risk(probability: object) -> dict:
    said = (
        {"probabilityRange": probability}
        if isinstance(probability, dict)
        else {"probabilityDecimal": probability}
    )
    return {"resourceType": "RiskAssessment", "prediction": [said]}


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("100", [99.5, 100, 100.49], [99.4, 100.5]),
        ("100.00", [99.995, 100.004], [99.99, 100.005]),
        ("1e2", [95, 104.9], [94.9, 105]),
        ("1.00e2", [99.5, 100.4], [100.5]),
        ("5.40e-3", [0.005395, 0.0054], [0.005405, 0.00539]),
        ("-2", [-2.5, -1.6], [-1.5]),
        ("lt100", [99.99], [100, 100.01]),
        ("le100", [99.99, 100], [100.01]),
        ("gt100", [100.01], [100, 99]),
        ("ge100", [100, 100.01], [99.99]),
        ("ne100", [99.4, 100.5], [99.5, 100.4]),
        ("sa100", [100.01], [100]),
        ("eb100", [99.99], [100]),
        ("ap100", [90, 110], [89.9, 110.1]),
        ("ap2.00", [1.8, 2.2], [1.7, 2.3]),
    ],
)  # fmt: skip
def test_prefix_takes_a_number_as_exact_and_none_its_precision(matches, text, inside, outside):
    for value in inside:
        assert matches(risk(value), f"probability={text}"), value
    for value in outside:
        assert not matches(risk(value), f"probability={text}"), value


def test_integers_are_compared_exactly(matches):
    sequence = {"resourceType": "MolecularSequence", "variant": [{"start": 22125503}]}

    assert matches(sequence, "variant-start=22125503")
    assert not matches(sequence, "variant-start=22125503.3")
    assert not matches(sequence, "variant-start=22125504")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("gt0.5", True), ("lt0.3", True), ("0.4", False), ("sa0.1", True), ("sa0.3", False),
     ("eb0.7", True), ("eb0.5", False), ("ap0.4", True)],
)  # fmt: skip
def test_target_range_is_compared_as_a_range(matches, text, expected):
    spread = risk({"low": {"value": 0.2}, "high": {"value": 0.6}})

    assert matches(spread, f"probability={text}") is expected


def test_range_without_an_end_is_open_there(matches):
    assert matches(risk({"low": {"value": 0.2}}), "probability=gt1e9")
    assert matches(risk({"high": {"value": 0.2}}), "probability=lt-1e9")
    assert matches(risk({}), "probability:missing=true")
    assert matches(risk({"low": {"unit": "%"}}), "probability:missing=true")


@pytest.mark.parametrize("text", ["", "x", "1,", "1e", "0x10", "1e9999", "gt", "1|2", "NaN", "１"])
def test_what_is_no_number_is_refused(read, text):
    with pytest.raises(BadRequest, match="probability"):
        read(f"RiskAssessment?probability={text}")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-1_000_000, max_value=10**9))
def test_implicit_range_holds_the_number(value):
    low, high = number.implicit(value)

    assert low <= float(value) <= high


def weight(value: object, **more: str) -> dict:
    return {"resourceType": "Observation", "valueQuantity": {"value": value, **more}}


MG = {"system": UCUM, "code": "mg", "unit": "milligram"}


@pytest.mark.parametrize(
    ("text", "resource", "expected"),
    [
        (f"5.4|{UCUM}|mg", weight(5.4, **MG), True),
        (f"5.4|{UCUM}|mg", weight(5.44, **MG), True),
        (f"5.4|{UCUM}|mg", weight(5.45, **MG), False),
        (f"5.4|{UCUM}|mg", weight(5.4, system=UCUM, code="mg/d"), False),
        (f"5.4|{UCUM}|mg", weight(5.4, unit="mg"), False),
        (f"5.40e-3|{UCUM}|g", weight(0.0054, system=UCUM, code="g"), True),
        ("5.4||mg", weight(5.4, **MG), True),
        ("5.4||mg", weight(5.4, unit="mg"), True),
        ("5.4||milligram", weight(5.4, **MG), True),
        ("5.4||gram", weight(5.4, **MG), False),
        ("5.4||milli", weight(5.4, **MG), False),
        ("5.4", weight(5.4, unit="anything"), True),
        ("5.4||", weight(5.4, unit="anything"), True),
        (f"5.4|{UCUM}|", weight(5.4, **MG), True),
        (f"5.4|{UCUM}|", weight(5.4, system="urn:other", code="mg"), False),
        (f"le5.4|{UCUM}|mg", weight(5.4, **MG), True),
        (f"le5.4|{UCUM}|mg", weight(5.41, **MG), False),
        (f"ap5.4|{UCUM}|mg", weight(5.9, **MG), True),
        (f"ap5.4|{UCUM}|mg", weight(6.0, **MG), False),
        (f"ne5.4|{UCUM}|mg", weight(6.0, system=UCUM, code="g"), False),
        ("lt5", weight(5, comparator="<"), True),
        ("ge5", weight(5, comparator="<"), False),
        ("gt100", weight(5, comparator=">"), True),
        ("le5", weight(5, comparator=">"), False),
        ("le5", weight(5, comparator=">="), True),
        ("ge5", weight(5, comparator="<="), True),
        ("1||a\\|b", weight(1, unit="a|b"), True),
    ],
)
def test_quantity_is_number_and_unit(matches, text, resource, expected):
    assert matches(resource, f"value-quantity={text}") is expected


def test_money_is_found_by_its_currency(matches):
    bill = {"resourceType": "Invoice", "totalNet": {"value": 48.5, "currency": "CNY"}}

    assert matches(bill, "totalnet=48.5||CNY")
    assert matches(bill, "totalnet=gt40|urn:iso:std:iso:4217|CNY")
    assert not matches(bill, "totalnet=48.5||USD")


def test_range_has_the_unit_of_its_bounds(matches):
    condition = {
        "resourceType": "Condition",
        "onsetRange": {"low": {"value": 30, **MG}, "high": {"value": 40, **MG}},
    }

    assert matches(condition, f"onset-age=gt35|{UCUM}|mg")
    assert not matches(condition, f"onset-age=gt35|{UCUM}|g")


@pytest.mark.parametrize("text", ["5.4|mg", "a||mg", "5.4|a|b|c", "|u|mg"])
def test_what_is_no_quantity_is_refused(read, text):
    with pytest.raises(BadRequest, match=r"expected number, number\|system\|code"):
        read(f"Observation?value-quantity={text}")


def test_quantity_without_a_value_has_no_entry(indexed):
    assert indexed({"resourceType": "Observation", "valueQuantity": {"unit": "mg"}}).entries == ()


def test_decimal_keeps_to_the_same_bounds_as_its_search(matches):
    assert matches(weight(Decimal("0.15")), "value-quantity=0.15")
    assert not matches(weight(Decimal("0.15")), "value-quantity=0.1")
