"""What is measured in other units, forms by their canonicals, and operators of filters."""

from tests.contract.table.row import Json, Section, about, observation

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"


def _glucose(id: str, value: float, unit: str) -> Json:
    return observation(
        id,
        code={"coding": [{"system": LOINC, "code": "2339-0"}]},
        valueQuantity={"value": value, "unit": unit, "system": UCUM, "code": unit},
    )


SAME = "unit that measures the same"

UNITS = Section(
    "measures",
    [
        _glucose("small", 5.4, "mmol/L"),
        _glucose("same", 5400, "umol/L"),
        _glucose("large", 0.0061, "mol/L"),
        _glucose("other", 5.4, "mg/dL"),
        _glucose("warm", 99.5, "[degF]"),
        observation("bare", valueQuantity={"value": 5.4, "unit": "mmol/L"}),
    ],
    about(
        "quantity",
        (
            SAME,
            f"Observation?value-quantity=5.4|{UCUM}|mmol/L",
            "small same",
        ),
        (SAME, f"Observation?value-quantity=gt5.4|{UCUM}|mmol/L", "large"),
        (SAME, f"Observation?value-quantity=37.5|{UCUM}|Cel", "warm"),
        (
            "order by what is measured",
            f"Observation?value-quantity=ge5400|{UCUM}|umol/L&_sort=-value-quantity&_count=1",
            "large",
        ),
    )
    + about(
        "composite",
        (
            SAME,
            f"Observation?code-value-quantity=2339-0$5400|{UCUM}|umol/L",
            "small same",
        ),
    ),
)


def _answered(id: str, canonical: str, status: str = "completed") -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "status": status,
        "questionnaire": canonical,
        "subject": {"reference": "Patient/asked"},
    }


FORMS = Section(
    "forms",
    [
        {
            "resourceType": "Questionnaire",
            "id": "q",
            "url": "http://acme.org/q",
            "version": "1.2",
            "title": "Health",
            "status": "active",
        },
        {"resourceType": "Patient", "id": "asked"},
        _answered("plain", "http://acme.org/q"),
        _answered("exact", "http://acme.org/q|1.2", "in-progress"),
        _answered("old", "http://acme.org/q|1.0"),
    ],
    about(
        "include",
        (
            "of a canonical",
            "QuestionnaireResponse?_id=exact&_include=QuestionnaireResponse:questionnaire",
            "exact q",
        ),
        (
            "_revinclude by canonical",
            "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
            "q plain exact",
        ),
    )
    + about(
        "reference",
        (
            ":below, versions of a canonical",
            "QuestionnaireResponse?questionnaire:below=http://acme.org/q|1",
            "exact old",
        ),
    ),
)


def _filter(text: str) -> str:
    return f"Observation?_filter={text}"


FILTERS = Section(
    "operators",
    [
        {
            "resourceType": "Patient",
            "id": "peter",
            "name": [{"family": "Van Dam", "given": ["Peter"]}],
            "birthDate": "1980-02-03",
        },
        observation(
            "pulse",
            code={"coding": [{"system": LOINC, "code": "8867-4"}]},
            subject={"reference": "Patient/peter"},
            effectiveDateTime="2024-05-06",
        ),
        observation(
            "pressure",
            code={"coding": [{"system": LOINC, "code": "85354-9"}]},
            component=[
                {
                    "code": {"coding": [{"system": LOINC, "code": code}]},
                    "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"},
                }
                for code, value in (("8480-6", 150), ("8462-4", 80))
            ],
        ),
    ],
    about(
        "_filter",
        ("ne", _filter("code ne 8867-4"), "pressure"),
        ("co sw ew", 'Patient?_filter=family co "an d" and given sw pe and given ew ter', "peter"),
        ("co sw ew", "Patient?_filter=given ew pe", ""),
        ("po", _filter("date po 2024-05"), "pulse"),
        ("re", _filter("subject re Patient/peter"), "pulse"),
        (
            "parts of one place",
            _filter(
                "component-code-value-quantity[component-code eq 8480-6]"
                ".component-value-quantity gt 140"
            ),
            "pressure",
        ),
        (
            "parts of one place",
            _filter(
                "component-code-value-quantity[component-code eq 8462-4]"
                ".component-value-quantity gt 140"
            ),
            "",
        ),
    ),
)

TERMS = (UNITS, FORMS, FILTERS)
