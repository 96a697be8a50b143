"""FHIRPath on JSON with the R4 type model. https://hl7.org/fhir/R4/fhirpath.html"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from conformance.definitions import Definitions
from conformance.fhirpath import FHIRPathError, compile
from conformance.fhirpath.expression import compile_with, values
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import Environment

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "subject": {"reference": "Patient/1"},
    "performer": [{"reference": "#me"}, {"type": "Device", "display": "scale"}],
    "contained": [{"resourceType": "Practitioner", "id": "me", "active": True}],
    "valueQuantity": {
        "value": Decimal("1.50"),
        "code": "mg",
        "system": "http://unitsofmeasure.org",
    },
    "_effectiveDateTime": {"extension": [{"url": "http://x", "valueCode": "unknown"}]},
    "component": [
        {"valueQuantity": {"value": 1}},
        {"valueQuantity": {"value": 2}},
        {"valueString": "three"},
    ],
}


@pytest.fixture(scope="module")
def model(definitions: Definitions) -> Model:
    return Model(definitions)


def test_element_has_its_fhir_type(definitions: Definitions) -> None:
    assert compile("Observation.status", definitions, "Observation")(OBSERVATION) == [
        ("code", "final")
    ]


def test_choice_is_found_by_its_bare_name_with_its_type(definitions: Definitions) -> None:
    """Observation.value, not Observation.valueQuantity."""
    found = compile("Observation.value", definitions, "Observation")(OBSERVATION)

    assert found == [("Quantity", OBSERVATION["valueQuantity"])]


def test_choice_with_type_suffix_is_an_error(definitions: Definitions) -> None:
    with pytest.raises(FHIRPathError, match="no element 'valueQuantity'"):
        compile("Observation.valueQuantity", definitions, "Observation")


def test_as_on_several_items_means_of_type(definitions: Definitions) -> None:
    """R4's search parameters use `as` on collections."""
    expression = "(Observation.component.value as Quantity)"

    found = compile(expression, definitions, "Observation")(OBSERVATION)

    assert found == [("Quantity", {"value": 1}), ("Quantity", {"value": 2})]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "Observation.subject.where(resolve() is Patient).reference",
            [("string", "Patient/1")],
        ),
        ("Observation.subject.where(resolve() is Group)", []),
        ("Observation.performer.resolve().active", [("boolean", True)]),
        ("Observation.performer.where(resolve() is Device).display", [("string", "scale")]),
        ("Observation.subject.resolve().id", [("id", "1")]),
        ("Observation.component[1].value.value", [("decimal", 2)]),
        ("Observation.component.value.exists()", [("boolean", True)]),
        ("Observation.effective.extension('http://x').value", [("code", "unknown")]),
        ("Observation.effective.hasValue()", [("boolean", False)]),
        ("Observation.effective", []),
        ("Condition.subject", []),
        ("Condition.subject | Observation.subject", [("Reference", OBSERVATION["subject"])]),
        ("Observation.value > 1 'mg'", [("boolean", True)]),
        ("Observation.value = 1.5 'mg'", [("boolean", True)]),
        ("Observation.value > 1 'cm'", []),
        ("component.where($index = 1).value.value", [("decimal", 2)]),
        ("component.value.ofType(Quantity).value.aggregate($this + $total, 0)", [("integer", 3)]),
        ("descendants().ofType(Practitioner).id", [("id", "me")]),
        ("contained.where(id = 'me').active", [("boolean", True)]),
        ("component.type().name.distinct()", [("string", "BackboneElement")]),
        ("component.all($this is BackboneElement)", [("boolean", True)]),
        ("%resource.id = %context.id", [("boolean", True)]),
        (
            "%`ext-x` & %ucum",
            [("string", "http://hl7.org/fhir/StructureDefinition/xhttp://unitsofmeasure.org")],
        ),
    ],
)
def test_result(definitions: Definitions, expression: str, expected: list[Any]) -> None:
    assert compile(expression, definitions, "Observation")(OBSERVATION) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("-7 div 2", -3),
        ("-7 mod 2", -1),
        ("7 / 2", Decimal("3.5")),
        ("1 / 0", None),
        ("{} and false", False),
        ("{} or true", True),
        ("{} implies {}", None),
        ("false implies {}", True),
        ("true xor {}", None),
        ("'a' & {}", "a"),
        ("'a' + {}", None),
        ("'Ab' ~ 'aB'", True),
        ("1.0 = 1.00", True),
        ("1.55 ~ 1.6", True),
        ("@2020 = @2020-01", None),
        ("@2020-01-31 + 1 month", "2020-02-29"),
        ("@2020-01-01T00:00:00Z - 1 second", "2019-12-31T23:59:59Z"),
        ("@2020-01-01T10:00:00+02:00 = @2020-01-01T08:00:00Z", True),
        ("@T10:30 < @T10:31", True),
        ("@2020-03-01 > @2020-02", True),
        ("7 days = 1 week", True),
        ("1 year = 1 'a'", None),
        ("1 year ~ 1 'a'", True),
        ("(1 | 2 | 2).count()", 2),
        ("(1 | 2 | 3).skip(1).first()", 2),
        ("2 in (1 | 2)", True),
        ("(1 | 2) contains 3", False),
        ("iif(1 > 2, 'a', 'b')", "b"),
        ("'abc'.substring(1, 1)", "b"),
        ("'1,2'.split(',').join(';')", "1;2"),
        ("'2020'.toInteger()", 2020),
        ("'x'.toInteger()", None),
        ("'4 days'.toQuantity() = 4 days", True),
        ("(1.5).round()", 2),
        ("8.log(2)", 3),
        ("2.power(3)", 8),
        ("'a\\u0062'.length()", 2),
        ("today() = @2020-01-02", True),
        ("1 is Integer", True),
        ("1 is System.Decimal", False),
        ("true and (1 = 1) // comment", True),
    ],
)
def test_calculation(model: Model, expression: str, expected: Any) -> None:
    env = Environment({}, now=datetime(2020, 1, 2, 3, 4, tzinfo=UTC))

    found = values(compile_with(model, expression).run(env, []))

    assert [value for _, value in found] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "name.",
        "name[",
        "name..given",
        "1 +",
        "Patient.nam",
        "name.given1",
        "name.foo()",
        "name.first(1)",
        "name.where()",
        "name is Foo",
        "%unknown",
        "$other",
        "@2020-02-30",
        "'open",
        "'\\q'",
        "name given",
        "(" * 500 + "1",
        "name # given",
    ],
)
def test_what_is_not_understood_is_an_error_at_compile_time(
    definitions: Definitions, expression: str
) -> None:
    with pytest.raises(FHIRPathError):
        compile(expression, definitions, "Patient")


@pytest.mark.parametrize(
    "expression", ["(1 | 2) + 1", "'a' > 1", "('a' | 'b').length()", "(1 | 2).single()", "today()"]
)
def test_what_has_no_result_is_an_error_when_evaluated(model: Model, expression: str) -> None:
    compiled = compile_with(model, expression)

    with pytest.raises(FHIRPathError):
        compiled({})


def test_malformed_json_gives_nothing_rather_than_an_error(definitions: Definitions) -> None:
    names = compile("Patient.name.given", definitions, "Patient")
    contained = compile("Patient.contained.id", definitions, "Patient")

    assert names({"resourceType": "Patient", "name": [1, None, {"given": {"a": 1}}]}) == []
    assert contained({"resourceType": "Patient", "contained": {"resourceType": []}}) == []
