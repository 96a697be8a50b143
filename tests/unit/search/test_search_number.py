"""Number and quantity parameters. https://hl7.org/fhir/R4/search.html#number"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.model import Sort
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

    assert float(low) <= float(value) <= float(high)


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
        (f"ne5.4|{UCUM}|mg", weight(6.0, system=UCUM, code="g"), True),
        (f"ne5.4|{UCUM}|mg", weight(6.0, system=UCUM, code="m"), False),
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


def quantity(value: str, code: str) -> dict:
    return weight(Decimal(value), system=UCUM, code=code)


@pytest.mark.parametrize(
    ("text", "resource", "expected"),
    [
        (f"5.4|{UCUM}|mmol/L", quantity("0.0054", "mol/L"), True),
        (f"5.4|{UCUM}|mmol/L", quantity("5400", "umol/L"), True),
        (f"5.4|{UCUM}|mmol/L", quantity("5449", "umol/L"), True),
        (f"5.4|{UCUM}|mmol/L", quantity("5450", "umol/L"), False),
        (f"5.40|{UCUM}|mmol/L", quantity("5449", "umol/L"), False),
        (f"ge3|{UCUM}|g", quantity("3000", "mg"), True),
        (f"gt3|{UCUM}|g", quantity("3000", "mg"), False),
        (f"ge7|{UCUM}|[lb_av]", quantity("3.17514659", "kg"), True),
        (f"37.0|{UCUM}|Cel", quantity("98.6", "[degF]"), True),
        (f"gt37.5|{UCUM}|Cel", quantity("99.6", "[degF]"), True),
        (f"lt37.5|{UCUM}|Cel", quantity("310", "K"), True),
        (f"60|{UCUM}|/min", quantity("1", "Hz"), True),
        (f"ap100|{UCUM}|mg", quantity("0.11", "g"), True),
        (f"ap100|{UCUM}|mg", quantity("0.12", "g"), False),
        (f"5|{UCUM}|g", quantity("5", "m"), False),
        (f"7.4|{UCUM}|[pH]", quantity("7.4", "[pH]"), True),
        (f"gt7|{UCUM}|[pH]", quantity("7.4", "[pH]"), True),
        (f"120|{UCUM}|mmHg", quantity("120", "mmHg"), True),
        ("5.4||mmol/L", quantity("0.0054", "mol/L"), False),
        ("gt5", quantity("0.0054", "mol/L"), False),
    ],
)
def test_quantities_that_measure_the_same_are_compared_in_base_units(
    matches, text, resource, expected
):
    """https://hl7.org/fhir/R4/search.html#quantity: by canonical units where they are known."""
    assert matches(resource, f"value-quantity={text}") is expected


def test_a_comparator_is_kept_in_base_units(matches):
    few = weight(5, system=UCUM, code="mg", comparator="<")

    assert matches(few, f"value-quantity=lt0.005|{UCUM}|g")
    assert not matches(few, f"value-quantity=ge0.005|{UCUM}|g")


def test_a_part_of_a_composite_is_compared_in_base_units(matches):
    pulse = {"coding": [{"system": "urn:c", "code": "w"}]}
    other = {"coding": [{"system": "urn:c", "code": "h"}]}
    grams = {"value": 70000, "system": UCUM, "code": "g"}
    said = {"resourceType": "Observation", "code": pulse, "valueQuantity": grams}
    query = f"code-value-quantity=w$ge70|{UCUM}|kg"

    assert matches(said, query)
    assert not matches(said | {"code": other}, query)
    assert not matches(said, query.replace("ge70", "gt70"))


def test_the_ends_of_a_range_may_be_in_different_units(matches):
    low, high = ({"value": v, "system": UCUM, "code": c} for v, c in ((1, "g"), (2000, "mg")))
    dose = {"resourceType": "Condition", "onsetRange": {"low": low, "high": high}}

    assert matches(dose, f"onset-age=gt1.5|{UCUM}|g")
    assert not matches(dose, f"onset-age=gt2.5|{UCUM}|g")


def test_of_sampled_data_the_bounds_count(matches):
    """ "just search on the bounds of the values in sampled data"."""
    data = {
        "origin": {"value": 0, "system": UCUM, "code": "mV"},
        "period": 10,
        "dimensions": 1,
        "factor": Decimal("0.5"),
        "lowerLimit": -2,
        "data": "2 E 6 L 4",
    }
    said = {"resourceType": "Observation", "valueSampledData": data}

    assert matches(said, f"value-quantity=gt0.0029|{UCUM}|V")
    assert matches(said, "value-quantity=lt-0.9")
    assert not matches(said, "value-quantity=gt3")
    assert not matches(said, f"value-quantity=gt0.003|{UCUM}|V")


def test_quantities_are_sorted_in_base_units(read):
    assert read("Observation?_sort=-value-quantity").sort == (
        Sort("value-quantity:canonical", True),
    )


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
