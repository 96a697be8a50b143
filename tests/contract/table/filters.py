"""Filters, units, and chains through canonicals."""

from tests.contract.table.row import Json, Section, about, observation

UCUM = "http://unitsofmeasure.org"


def _person(id: str, family: str, gender: str, born: str) -> Json:
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [{"family": family}],
        "gender": gender,
        "birthDate": born,
    }


FILTERS = Section(
    "filters",
    [
        _person("li", "Li", "female", "1980-01-01"),
        _person("wu", "Wu", "male", "1990-06-15"),
        _person("liu", "Liu", "male", "2000-12-31"),
        observation("a", subject={"reference": "Patient/li"}, code={"coding": [{"code": "x"}]}),
        observation("b", subject={"reference": "Patient/wu"}, code={"coding": [{"code": "x"}]}),
    ],
    about(
        "_filter",
        ("eq", "Patient?_filter=family eq li", "li"),
        ("sw", "Patient?_filter=family sw li", "li liu"),
        ("co, of text", "Patient?_filter=family co u", "wu liu"),
        ("and", "Patient?_filter=family sw li and gender eq male", "liu"),
        ("or", "Patient?_filter=gender eq female or birthdate gt 1995", "li liu"),
        ("not", "Patient?_filter=not (gender eq male)", "li"),
        ("brackets", "Patient?_filter=gender eq male and (family eq wu or family eq li)", "wu"),
        ("ge, lt", "Patient?_filter=birthdate ge 1990-06-15 and birthdate lt 2000", "wu"),
        ("pr", "Patient?_filter=address pr false", "li wu liu"),
        ("a path through a reference", "Observation?_filter=subject.family eq li", "a"),
        (
            "a filter inside a path",
            "Observation?_filter=subject[gender eq male].family eq wu",
            "b",
        ),
        ("_has", "Patient?_filter=_has:Observation:patient:code eq x", "li wu"),
        ("beside criteria", "Patient?_filter=gender eq male&family=liu", "liu"),
        ("unreadable", "Patient?_filter=family eq", "400"),
    ),
)


def _measured(id: str, value: float, code: str) -> Json:
    return observation(
        id, valueQuantity={"value": value, "unit": code, "system": UCUM, "code": code}
    )


UNITS = Section(
    "units",
    [
        _measured("milli", 5.4, "mmol/L"),
        _measured("micro", 5400, "umol/L"),
        _measured("warm", 37.0, "Cel"),
        _measured("american", 98.6, "[degF]"),
        _measured("gram", 0.0054, "g"),
        _measured("milligram", 5.4, "mg"),
        _measured("unknown", 5.4, "{pills}"),
    ],
    about(
        "quantity",
        ("another unit of UCUM", f"Observation?value-quantity=5.4|{UCUM}|mmol/L", "milli micro"),
        ("another unit of UCUM", f"Observation?value-quantity=5400|{UCUM}|umol/L", "milli micro"),
        ("another unit of UCUM", f"Observation?value-quantity=37.0|{UCUM}|Cel", "warm american"),
        ("another unit of UCUM", f"Observation?value-quantity=gt5|{UCUM}|mg", "gram milligram"),
        ("a unit by name, as it is written", "Observation?value-quantity=5.4||mg", "milligram"),
    ),
)

CHAINS = Section(
    "canonical chains",
    [
        {
            "resourceType": "Questionnaire",
            "id": f"q{version}",
            "url": "http://example.org/q",
            "version": version,
            "status": status,
            "title": f"Title {version}",
        }
        for version, status in (("1", "retired"), ("2", "active"))
    ]
    + [
        {
            "resourceType": "QuestionnaireResponse",
            "id": id,
            "status": "completed",
            "questionnaire": canonical,
        }
        for id, canonical in (
            ("one", "http://example.org/q|1"),
            ("two", "http://example.org/q|2"),
            ("any", "http://example.org/q"),
        )
    ],
    about(
        "chain",
        (
            "through a canonical",
            "QuestionnaireResponse?questionnaire.status=retired",
            "one any",
        ),
        ("through a canonical", "QuestionnaireResponse?questionnaire.title=title 2", "two any"),
    )
    + about(
        "_has",
        ("by a canonical", "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=two", "q2"),
        (
            "by a canonical",
            "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=any",
            "q1 q2",
        ),
    ),
)

MORE = [FILTERS, UNITS, CHAINS]
