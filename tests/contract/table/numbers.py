"""Numbers and quantities. https://hl7.org/fhir/R4/search.html#number"""

from tests.contract.table.row import Json, Section, about, observation

UCUM = "http://unitsofmeasure.org"


def _risk(id: str, **prediction: object) -> Json:
    return {
        "resourceType": "RiskAssessment",
        "id": id,
        "status": "final",
        "subject": {"display": "x"},
        "prediction": [prediction],
    }


def _dose(id: str, value: object) -> Json:
    return _risk(id, probabilityDecimal=value)


NUMBERS = Section(
    "numbers",
    [
        *(_dose(f"n{value}", value) for value in (95, 99.5, 100, 100.4, 100.5, 104.9, 105, 110)),
        _risk("range", probabilityRange={"low": {"value": 99.9}, "high": {"value": 100.1}}),
        _risk("open", probabilityRange={"low": {"value": 100.2}}),
        _risk("none"),
    ],
    about(
        "number",
        ("no prefix", "RiskAssessment?probability=100", "n99.5 n100 n100.4 range"),
        ("no prefix", "RiskAssessment?probability=100.0", "n100"),
        ("no prefix", "RiskAssessment?probability=1.00e2", "n99.5 n100 n100.4 range"),
        (
            "no prefix",
            "RiskAssessment?probability=1e2",
            "n95 n99.5 n100 n100.4 n100.5 n104.9 range",
        ),
        ("ne", "RiskAssessment?probability=ne100", "n95 n100.5 n104.9 n105 n110 open"),
        ("lt", "RiskAssessment?probability=lt100", "n95 n99.5 range"),
        ("le", "RiskAssessment?probability=le100", "n95 n99.5 n100 range"),
        ("gt", "RiskAssessment?probability=gt100", "n100.4 n100.5 n104.9 n105 n110 range open"),
        (
            "ge",
            "RiskAssessment?probability=ge100",
            "n100 n100.4 n100.5 n104.9 n105 n110 range open",
        ),
        ("sa", "RiskAssessment?probability=sa100", "n100.4 n100.5 n104.9 n105 n110 open"),
        ("eb", "RiskAssessment?probability=eb100", "n95 n99.5"),
        (
            "ap: a tenth more or less",
            "RiskAssessment?probability=ap100",
            "n95 n99.5 n100 n100.4 n100.5 n104.9 n105 n110 range open",
        ),
        (":missing", "RiskAssessment?probability:missing=true", "none"),
        ("OR list", "RiskAssessment?probability=110,95.0", "n110 n95"),
        ("unreadable", "RiskAssessment?probability=many", "400"),
        ("a modifier that it has not", "RiskAssessment?probability:exact=1", "400"),
    ),
)


def _measured(id: str, value: object, unit: str = "mg", **more: object) -> Json:
    return observation(
        id, valueQuantity={"value": value, "unit": unit, "system": UCUM, "code": unit, **more}
    )


QUANTITIES = Section(
    "quantities",
    [
        _measured("mg54", 5.4),
        _measured("mg544", 5.44),
        _measured("mg6", 6),
        _measured("mmol", 5.4, "mmol"),
        observation("words", valueQuantity={"value": 5.4, "unit": "mg"}),
        observation("bare", valueQuantity={"value": 5.4}),
        _measured("more", 5.4, comparator=">"),
        observation("none"),
    ],
    about(
        "quantity",
        ("number", "Observation?value-quantity=5.4", "mg54 mg544 mmol words bare"),
        ("number", "Observation?value-quantity=5.40", "mg54 mmol words bare"),
        ("number|system|code", f"Observation?value-quantity=5.4|{UCUM}|mg", "mg54 mg544"),
        ("number||unit", "Observation?value-quantity=5.4||mg", "mg54 mg544 words"),
        ("gt", f"Observation?value-quantity=gt5.4|{UCUM}|mg", "mg544 mg6 more"),
        ("ge", f"Observation?value-quantity=ge5.4|{UCUM}|mg", "mg54 mg544 mg6 more"),
        ("lt", f"Observation?value-quantity=lt6|{UCUM}|mg", "mg54 mg544 more"),
        ("le", f"Observation?value-quantity=le6|{UCUM}|mg", "mg54 mg544 mg6 more"),
        ("sa", f"Observation?value-quantity=sa5.4|{UCUM}|mg", "mg544 mg6 more"),
        ("eb", f"Observation?value-quantity=eb6|{UCUM}|mg", "mg54 mg544"),
        ("ne", f"Observation?value-quantity=ne5.4|{UCUM}|mg", "mg6 more"),
        ("ap", f"Observation?value-quantity=ap5.9|{UCUM}|mg", "mg54 mg544 mg6 more"),
        (":missing", "Observation?value-quantity:missing=true", "none"),
        ("unreadable", "Observation?value-quantity=5.4|mg", "400"),
    ),
)

SAMPLES = Section(
    "samples and ranges",
    [
        observation(
            "sampled",
            valueSampledData={
                "origin": {"value": 2, "system": UCUM, "code": "mV"},
                "period": 10,
                "factor": 0.5,
                "dimensions": 1,
                "data": "2 4 E 8",
            },
        ),
        observation("elsewhere", valueQuantity={"value": 10, "system": UCUM, "code": "mV"}),
        {
            "resourceType": "Condition",
            "id": "decades",
            "subject": {"display": "x"},
            "onsetRange": {"low": {"value": 30, "unit": "a"}, "high": {"value": 40, "unit": "a"}},
        },
        {
            "resourceType": "Condition",
            "id": "age",
            "subject": {"display": "x"},
            "onsetAge": {"value": 35, "unit": "a", "system": UCUM, "code": "a"},
        },
        {
            "resourceType": "Invoice",
            "id": "money",
            "status": "issued",
            "totalNet": {"value": 12.5, "currency": "CNY"},
        },
    ],
    about(
        "quantity",
        ("SampledData", f"Observation?value-quantity=ge3|{UCUM}|mV", "sampled elsewhere"),
        ("SampledData", f"Observation?value-quantity=sa5|{UCUM}|mV", "elsewhere"),
        ("Range", "Condition?onset-age=gt36", "decades"),
        ("Range", "Condition?onset-age=35", "age"),
        ("Age", f"Condition?onset-age=35|{UCUM}|a", "age"),
        ("Money", "Invoice?totalnet=12.5|urn:iso:std:iso:4217|CNY", "money"),
        ("Money", "Invoice?totalnet=12.5||CNY", "money"),
        ("Money", "Invoice?totalnet=12.5||USD", ""),
    ),
)
