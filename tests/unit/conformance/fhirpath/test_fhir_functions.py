"""What FHIR adds to FHIRPath. https://hl7.org/fhir/R4/fhirpath.html"""

from decimal import Decimal
from typing import Any

import pytest
from fhirpath_tables import evaluate

from conformance.definitions import Definitions
from conformance.fhirpath import FHIRPathError, Services, compile
from conformance.fhirpath.model import Model

GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "gender": "male",
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://x/time", "valueTime": "10:00:00"}]},
    "name": [
        {"id": "1", "family": "Chen", "given": ["Li", None], "_given": [None, {"id": "empty"}]},
        {"id": "2", "family": "chen", "given": ["li"]},
    ],
    "maritalStatus": {"coding": [{"system": "http://y", "code": "x"}], "text": "?"},
    "managingOrganization": {"reference": "Organization/o"},
    "modifierExtension": [{"url": "http://x/not", "valueBoolean": True}],
    "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"},
}


def quantity(value: str, code: str, **more: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "valueQuantity": {"value": Decimal(value), "code": code, "system": UCUM} | more,
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Patient.birthDate.value", ["1974-12-25"]),
        ("Patient.birthDate.value is System.Date", [True]),
        ("Patient.birthDate is System.Date", [False]),
        ("Patient.birthDate.getValue() is System.Date", [True]),
        ("Patient.name.given.as(FHIR.string)", ["Li", "li"]),
        ("Patient.name.given.as(System.String)", ["Li", "li"]),
        ("Patient.name.given.as(System.String) is System.String", "error"),
        ("Patient.name.given.count()", [3]),
        ("Patient.name.given.where(hasValue()).count()", [2]),
        ("Patient.name.given.hasValue()", [False]),
        ("Patient.birthDate.hasValue()", [True]),
        ("Patient.name.first().hasValue()", [False]),
        ("Patient.birthDate.extension('http://x/time').value", ["10:00:00"]),
        ("Patient.birthDate.extension({})", []),
        ("Patient.name[0] ~ Patient.name[1]", [False]),
        ("Patient.name.family[0] ~ Patient.name.family[1]", [True]),
        ("DomainResource.active", [True]),
        ("Patient.managingOrganization.resolve() is Organization", [True]),
        ("%resource is Patient", [True]),
        ("%rootResource = %resource", [True]),
        ('%"vs-administrative-gender"', [GENDERS]),
        ("gender.memberOf(%`vs-administrative-gender`)", [True]),
        ("'male'.memberOf(%`vs-administrative-gender`)", [True]),
        ("'m'.memberOf(%`vs-administrative-gender`)", [False]),
        ("{}.memberOf(%`vs-administrative-gender`)", []),
        ("maritalStatus.memberOf('http://hl7.org/fhir/ValueSet/marital-status')", [False]),
        ("gender.memberOf('http://hl7.org/fhir/ValueSet/none')", "error"),
        ("gender.memberOf('http://hl7.org/fhir/ValueSet/ucum-units')", "error"),
        ("active.memberOf(%`vs-administrative-gender`)", "error"),
        (f"conformsTo('{PROFILE}Patient')", [True]),
        (f"conformsTo('{PROFILE}DomainResource')", [True]),
        (f"conformsTo('{PROFILE}Person')", [False]),
        ("conformsTo('http://trash')", "error"),
        (f"{{}}.conformsTo('{PROFILE}Person')", []),
        ("text.`div`.htmlChecks()", "error"),
        ("name.first().htmlChecks()", []),
        ("checkModifiers('http://x/not').id", ["p"]),
        ("checkModifiers('http://x/other').id", "error"),
        ("checkModifiers().id", "error"),
        ("name.checkModifiers().id", ["1", "2"]),
        ("name.first().subsumes(maritalStatus)", "error"),
        ("maritalStatus.subsumes(maritalStatus)", [True]),
        ("maritalStatus.coding.subsumes({})", []),
    ],
)
def test_function(model: Model, expression: str, expected: Any) -> None:
    if expected == "error":
        with pytest.raises(FHIRPathError):
            evaluate(model, expression, PATIENT)
    else:
        assert evaluate(model, expression, PATIENT) == expected


@pytest.mark.parametrize(
    ("resource", "expression", "expected"),
    [
        (quantity("1", "a"), "value = 1 year", [True]),
        (quantity("1", "a"), "value = 1 'a'", []),
        (quantity("1", "a"), "@2020 + value", ["2021"]),
        (quantity("36", "h"), "value = 1.5 days", [True]),
        (quantity("185", "[lb_av]"), "value < 84 'kg'", [True]),
        (quantity("1", "mg"), "value.toString()", ["1 'mg'"]),
        (quantity("1", "mg"), "-value", [{"value": -1, "code": "mg", "system": UCUM}]),
        (quantity("1", "mg", system="http://y"), "value = 1 'mg'", []),
        (quantity("1", "mg", system="http://y"), "value < 2 'mg'", []),
        (quantity("1", "mg", system="http://y"), "value = %resource.value", [True]),
        ({"resourceType": "Observation", "valueQuantity": {"value": 1}}, "value = 1", [True]),
        ({"resourceType": "Observation", "valueQuantity": {"unit": "mg"}}, "value > 1 'mg'", []),
    ],
)
def test_quantity_of_a_resource(
    model: Model, resource: dict[str, Any], expression: str, expected: Any
) -> None:
    """Mapped to the calendar's units, and only with a UCUM code."""
    try:
        assert evaluate(model, expression, resource) == expected
    except FHIRPathError:
        assert "value > 1" in expression


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"coding": [{"system": "s", "code": "1"}]}, {"coding": [{"code": "1"}]}, False),
        (
            {"coding": [{"system": "s", "code": "1", "display": "a"}]},
            {"coding": [{"system": "t"}, {"system": "s", "code": "1", "version": "2"}]},
            True,
        ),
        ({"text": "a"}, {"text": "a"}, False),
    ],
)
def test_concepts_are_equivalent_if_they_share_a_coding(
    model: Model, one: dict[str, Any], other: dict[str, Any], expected: bool
) -> None:
    observation = {
        "resourceType": "Observation",
        "code": one,
        "method": other,
    }

    assert evaluate(model, "code ~ method", observation) == [expected]


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("_ActEncounterCode", "AMB", True),
        ("AMB", "_ActEncounterCode", False),
        ("AMB", "AMB", True),
    ],
)
def test_subsumption_in_a_shipped_code_system(
    model: Model, above: str, below: str, expected: bool
) -> None:
    encounter = {
        "resourceType": "Encounter",
        "class": {"system": ACTS, "code": below},
        "classHistory": [{"class": {"system": ACTS, "code": above}}],
    }

    assert evaluate(model, "classHistory.class.subsumes(class)", encounter) == [expected]
    assert evaluate(model, "class.subsumedBy(classHistory.class)", encounter) == [expected]


def test_services_are_asked_first(model: Model) -> None:
    asked: list[Any] = []

    def ask(*question: Any) -> bool:
        asked.append(question)
        return True

    services = Services(ask, ask, ask, ask, lambda *seen: asked.append(seen))
    for expression in (
        "gender.memberOf('http://x/vs')",
        "conformsTo('http://x/profile')",
        "maritalStatus.coding.subsumes(%resource.maritalStatus.coding)",
        "text.`div`.htmlChecks()",
    ):
        assert evaluate(model, expression, PATIENT, services) == [True]
    evaluate(model, "name.trace('n', family).trace('all').count()", PATIENT, services)

    assert asked[0] == ("code", "male", "http://x/vs")
    assert asked[1] == ("Patient", PATIENT, "http://x/profile")
    assert asked[-2] == ("n", [("string", "Chen"), ("string", "chen")])
    assert asked[-1] == ("all", [("HumanName", each) for each in PATIENT["name"]])


def test_service_that_does_not_know_leaves_it_to_the_definitions(model: Model) -> None:
    services = Services(member_of=lambda *_: None, conforms_to=lambda *_: None)

    assert evaluate(model, f"gender.memberOf('{GENDERS}')", PATIENT, services) == [True]
    assert evaluate(model, f"conformsTo('{PROFILE}Patient')", PATIENT, services) == [True]


def test_variables_are_handed_in(definitions: Definitions) -> None:
    zip_code = compile("%`us-zip` & 'x'", definitions, "Patient", variables={"us-zip"})

    found = zip_code(PATIENT, variables={"us-zip": [("System.String", "[0-9]{5}", None)]})

    assert found == [("string", "[0-9]{5}x")]
    assert zip_code(PATIENT) == [("string", "x")]


def test_context_and_root_differ_from_the_resource_where_they_are_handed_in(
    definitions: Definitions,
) -> None:
    ids = compile("%rootResource.id & %context.family & %resource.id", definitions, "HumanName")
    name = PATIENT["name"][0]

    found = ids(
        PATIENT,
        variables={
            "context": [("HumanName", name, None)],
            "rootResource": [("Bundle", {"resourceType": "Bundle", "id": "b"}, None)],
        },
    )

    assert found == [("string", "bChenp")]


@pytest.mark.parametrize(
    "expression",
    [
        "Encounter.name.given",
        "Patient.children().skip(1)",
        "Patient.descendants().first()",
        "Patient.children()[0]",
        "Patient.name.as(HumanName)",
        "(Patient.name as HumanName)",
    ],
)
def test_strict_evaluation_refuses_what_only_r4_needs(
    definitions: Definitions, expression: str
) -> None:
    compile(expression, definitions, "Patient")(PATIENT)

    with pytest.raises(FHIRPathError):
        compile(expression, definitions, "Patient", strict=True)(PATIENT)


def test_strict_evaluation_lets_the_rest_be(definitions: Definitions) -> None:
    found = compile(
        "Patient.name.first().as(HumanName).family", definitions, "Patient", strict=True
    )

    assert found(PATIENT) == [("string", "Chen")]
