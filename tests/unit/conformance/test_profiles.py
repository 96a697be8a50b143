"""Profiles. https://hl7.org/fhir/R4/profiling.html

Each profile is a differential; a resource that meets it has no issue, one that does not has one, at
its place.
"""

from decimal import Decimal
from typing import Any

import pytest

from conformance.definitions import Definitions
from conformance.validator import Validator

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "http://x/p"

OBSERVATION: Json = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://x/c", "code": "a"}]},
    "subject": {"reference": "Patient/1"},
    "valueQuantity": {"value": Decimal("7.5"), "unit": "mg"},
    "component": [
        {"code": {"coding": [{"system": "http://x/c", "code": "one"}]}, "valueString": "1"},
        {"code": {"coding": [{"system": "http://x/c", "code": "two"}]}, "valueString": "2"},
    ],
}


def profile(*elements: Json, base: str = "Observation", url: str = URL, **more: Any) -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": base,
        "derivation": "constraint",
        "baseDefinition": CORE + base,
        "differential": {"element": list(elements)},
        **more,
    }


def element(path: str, **rest: Any) -> Json:
    return {"path": f"Observation.{path}" if path else "Observation", **rest}


def found_by(
    definitions: Definitions, resource: Json, *profiles: Json, others: tuple[Json, ...] = ()
) -> list[tuple[str, str]]:
    validator = Validator(definitions, warnings=False, packages=[*profiles, *others])
    urls = [each["url"] for each in profiles]
    return [(each.code, each.expression) for each in validator.validate(resource, profiles=urls)]


def concept(code: str) -> Json:
    return {"coding": [{"system": "http://x/c", "code": code}]}


MET_AND_NOT: list[tuple[Json, Json, str, str]] = [
    (element("encounter", min=1), {}, "required", "Observation"),
    (element("subject", max="0"), {}, "structure", "Observation.subject"),
    (element("component", max="1"), {}, "structure", "Observation.component[1]"),
    (element("status", fixedCode="amended"), {}, "value", "Observation.status"),
    (element("code", patternCodeableConcept=concept("b")), {}, "value", "Observation.code"),
    (
        element("value[x]", type=[{"code": "string"}]),
        {},
        "structure",
        "Observation.value.ofType(Quantity)",
    ),
    (
        element("valueQuantity.code", min=1),
        {},
        "required",
        "Observation.value.ofType(Quantity)",
    ),
    (
        element("component.valueString", maxLength=0),
        {"component": [{"code": {"text": "c"}, "valueString": "x"}]},
        "too-long",
        "Observation.component[0].value.ofType(string)",
    ),
    (
        element("valueQuantity.value", minValueDecimal=Decimal(8)),
        {},
        "value",
        "Observation.value.ofType(Quantity).value",
    ),
    (
        element("subject", type=[{"code": "Reference", "targetProfile": [CORE + "Group"]}]),
        {},
        "value",
        "Observation.subject",
    ),
    (
        element(
            "code",
            binding={
                "strength": "required",
                "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender",
            },
        ),
        {},
        "code-invalid",
        "Observation.code",
    ),
    (
        element(
            "",
            constraint=[
                {"key": "x-1", "severity": "error", "human": "x", "expression": "note.exists()"}
            ],
        ),
        {},
        "invariant",
        "Observation",
    ),
    (
        element(
            "component",
            constraint=[
                {
                    "key": "x-1",
                    "severity": "error",
                    "human": "x",
                    "expression": "code.coding.code = 'one' or %resource.status = 'amended'",
                }
            ],
        ),
        {},
        "invariant",
        "Observation.component[1]",
    ),
]


@pytest.mark.parametrize(("asked", "change", "code", "expression"), MET_AND_NOT)
def test_what_a_profile_asks_is_missed(
    definitions: Definitions, asked: Json, change: Json, code: str, expression: str
) -> None:
    resource = OBSERVATION | change

    assert found_by(definitions, resource, profile(asked)) == [(code, expression)]
    assert found_by(definitions, resource, profile(element("status", min=1))) == []


@pytest.mark.parametrize(
    "asked",
    [
        element("encounter", min=0),
        element("component", min=2),
        element("component", max="2"),
        element("status", fixedCode="final"),
        element("code", patternCodeableConcept=concept("a")),
        element("value[x]", type=[{"code": "Quantity"}, {"code": "string"}]),
        element("valueQuantity.value", minValueDecimal=Decimal("7.5")),
        element("subject", type=[{"code": "Reference", "targetProfile": [CORE + "Patient"]}]),
        element("subject", mustSupport=True),
    ],
)
def test_what_a_profile_asks_is_met(definitions: Definitions, asked: Json) -> None:
    assert found_by(definitions, OBSERVATION, profile(asked)) == []


def slicing(kind: str, path: str, **rest: Any) -> Json:
    return {"discriminator": [{"type": kind, "path": path}], "rules": "open", **rest}


def sliced(rules: str = "open", **rest: Any) -> Json:
    """Components by code: slices one and two."""
    return profile(
        element("component", slicing=slicing("value", "code", rules=rules, **rest)),
        element("component", sliceName="one", min=1, max="1"),
        element("component.code", patternCodeableConcept=concept("one")),
        element("component.valueString", fixedString="1"),
        element("component", sliceName="two", max="1"),
        element("component.code", patternCodeableConcept=concept("two")),
    )


def components(*codes: str) -> Json:
    return OBSERVATION | {
        "component": [{"code": concept(code), "valueString": "1"} for code in codes]
    }


@pytest.mark.parametrize(
    ("rules", "codes", "expected"),
    [
        ("open", ["one", "two", "three"], []),
        ("open", ["two"], [("required", "Observation")]),
        ("open", ["one", "one"], [("structure", "Observation.component[1]")]),
        ("closed", ["one", "three"], [("structure", "Observation.component[1]")]),
        ("openAtEnd", ["one", "two", "three"], []),
        ("openAtEnd", ["three", "one"], [("structure", "Observation.component[1]")]),
    ],
)
def test_slices_by_value(
    definitions: Definitions, rules: str, codes: list[str], expected: list[Any]
) -> None:
    assert found_by(definitions, components(*codes), sliced(rules)) == expected


def test_ordered_slices_keep_their_order(definitions: Definitions) -> None:
    asked = sliced(ordered=True)

    assert found_by(definitions, components("one", "two"), asked) == []
    assert found_by(definitions, components("two", "one"), asked) == [
        ("structure", "Observation.component[1]")
    ]


def test_what_a_slice_asks_is_asked_of_its_items_only(definitions: Definitions) -> None:
    wrong = components("one", "two")
    wrong["component"][0]["valueString"] = "9"

    assert found_by(definitions, wrong, sliced()) == [
        ("value", "Observation.component[0].value.ofType(string)")
    ]


def test_slices_by_type(definitions: Definitions) -> None:
    asked = profile(
        element("value[x]", slicing=slicing("type", "$this")),
        element("value[x]", sliceName="valueQuantity", type=[{"code": "Quantity"}]),
        element("value[x].code", min=1),
        element("value[x]", sliceName="valueString", type=[{"code": "string"}]),
    )

    found = found_by(definitions, OBSERVATION, asked)

    assert found == [("required", "Observation.value.ofType(Quantity)")]


def test_slices_by_existence(definitions: Definitions) -> None:
    asked = profile(
        element("component", slicing=slicing("exists", "interpretation")),
        element("component", sliceName="read", max="1"),
        element("component.interpretation", min=1),
    )
    read = {"code": {"text": "c"}, "valueString": "x", "interpretation": [{"text": "high"}]}

    assert found_by(definitions, OBSERVATION | {"component": [read]}, asked) == []
    assert found_by(definitions, OBSERVATION | {"component": [read, read]}, asked) == [
        ("structure", "Observation.component[1]")
    ]


def test_slices_by_profile_of_what_is_referred_to(definitions: Definitions) -> None:
    grown = profile({"path": "Patient.birthDate", "min": 1}, base="Patient", url="http://x/grown")
    asked = profile(
        element("performer", slicing=slicing("profile", "resolve()", rules="closed")),
        element(
            "performer",
            sliceName="grown",
            type=[{"code": "Reference", "targetProfile": ["http://x/grown"]}],
        ),
    )

    def with_performer(patient: Json) -> Json:
        contained = {"resourceType": "Patient", "id": "p", **patient}
        return OBSERVATION | {"contained": [contained], "performer": [{"reference": "#p"}]}

    good = with_performer({"birthDate": "1990"})
    bad = with_performer({"gender": "male"})

    assert found_by(definitions, good, asked, others=(grown,)) == []
    assert found_by(definitions, bad, asked, others=(grown,)) == [
        ("structure", "Observation.performer[0]")
    ]


def test_slices_are_sliced_again(definitions: Definitions) -> None:
    asked = profile(
        element("component", slicing=slicing("value", "code")),
        element("component", sliceName="one", slicing=slicing("exists", "interpretation")),
        element("component.code", patternCodeableConcept=concept("one")),
        element("component", sliceName="one/read", max="0"),
        element("component.interpretation", min=1),
    )
    unread = components("one", "two")
    read = components("one", "two")
    read["component"][0]["interpretation"] = [{"text": "high"}]

    assert found_by(definitions, unread, asked) == []
    assert found_by(definitions, read, asked) == [("structure", "Observation.component[0]")]


EXTENSION = profile(
    {"path": "Extension", "max": "1"},
    {"path": "Extension.url", "fixedUri": "http://x/ext"},
    {"path": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]},
    base="Extension",
    url="http://x/ext",
    context=[{"type": "element", "expression": "Observation"}],
)
WITH_EXTENSION = profile(
    element("extension", slicing=slicing("value", "url")),
    element(
        "extension",
        sliceName="ext",
        min=1,
        max="1",
        type=[{"code": "Extension", "profile": ["http://x/ext"]}],
    ),
)


def test_extension_is_a_slice_by_its_url(definitions: Definitions) -> None:
    good = OBSERVATION | {"extension": [{"url": "http://x/ext", "valueCode": "a"}]}

    assert found_by(definitions, good, WITH_EXTENSION, others=(EXTENSION,)) == []
    assert found_by(definitions, OBSERVATION, WITH_EXTENSION, others=(EXTENSION,)) == [
        ("required", "Observation")
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"extension": [{"url": "http://x/ext", "valueString": "a"}]},
            ("structure", "Observation.extension[0]"),
        ),
        (
            {"code": {"text": "a", "extension": [{"url": "http://x/ext", "valueCode": "a"}]}},
            ("extension", "Observation.code"),
        ),
    ],
)
def test_extensions_of_packages_are_known(
    definitions: Definitions, change: Json, expected: tuple[str, str]
) -> None:
    found = found_by(definitions, OBSERVATION | change, others=(EXTENSION,))

    assert found == [expected]


def test_what_is_asked_of_an_element_is_asked_where_it_is_referred_to(
    definitions: Definitions,
) -> None:
    """Questionnaire.item.item refers to Questionnaire.item."""
    asked = profile({"path": "Questionnaire.item.text", "min": 1}, base="Questionnaire")
    inner = {"linkId": "2", "type": "string"}
    questionnaire: Json = {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [{"linkId": "1", "type": "group", "text": "x", "item": [inner]}],
    }

    assert found_by(definitions, questionnaire, asked) == [
        ("required", "Questionnaire.item[0].item[0]")
    ]


def test_value_sets_of_packages_are_known(definitions: Definitions) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "url": "http://x/vs",
        "compose": {"include": [{"system": "http://x/c", "concept": [{"code": "b"}]}]},
    }
    asked = profile(element("code", binding={"strength": "required", "valueSet": "http://x/vs"}))

    assert found_by(definitions, OBSERVATION, asked, others=(value_set,)) == [
        ("code-invalid", "Observation.code")
    ]
    allowed = OBSERVATION | {"code": concept("b")}
    assert found_by(definitions, allowed, asked, others=(value_set,)) == []


def test_profile_claimed_is_checked_wherever_the_resource_is(definitions: Definitions) -> None:
    claims = OBSERVATION | {"id": "o", "meta": {"profile": [URL]}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "http://x/Observation/o", "resource": claims}],
    }

    found = found_by(definitions, bundle, others=(profile(element("encounter", min=1)),))

    assert found == [("required", "Bundle.entry[0].resource")]


def test_references_are_followed_inside_a_bundle(definitions: Definitions) -> None:
    grown = profile({"path": "Patient.birthDate", "min": 1}, base="Patient", url="http://x/grown")
    asked = profile(
        element("subject", type=[{"code": "Reference", "targetProfile": ["http://x/grown"]}])
    )
    claims = OBSERVATION | {"id": "o", "meta": {"profile": [URL]}}
    patient = {"resourceType": "Patient", "id": "1", "gender": "male"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "http://x/Observation/o", "resource": claims},
            {"fullUrl": "http://x/Patient/1", "resource": patient},
        ],
    }

    found = found_by(definitions, bundle, others=(asked, grown))

    assert found == [("value", "Bundle.entry[0].resource.subject")]


def test_profile_of_a_profile_asks_all_that_its_base_asks(definitions: Definitions) -> None:
    base = profile(element("encounter", min=1), url="http://x/base")
    derived = profile(element("issued", min=1)) | {"baseDefinition": "http://x/base"}

    found = found_by(definitions, OBSERVATION, derived, others=(base,))

    assert found == [("required", "Observation"), ("required", "Observation")]


@pytest.mark.parametrize(
    ("expression", "is_met"),
    [
        ("status.memberOf('http://hl7.org/fhir/ValueSet/observation-status')", True),
        ("status.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", False),
        ("status.memberOf('http://x/unknown')", True),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Observation')", True),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/vitalsigns')", False),
        ("subject.resolve().is(Patient)", True),
        ("subject.resolve().is(Group)", False),
    ],
)
def test_constraints_ask_for_value_sets_profiles_and_targets(
    definitions: Definitions, expression: str, is_met: bool
) -> None:
    constraint = {"key": "x-1", "severity": "error", "human": "x", "expression": expression}

    found = found_by(definitions, OBSERVATION, profile(element("", constraint=[constraint])))

    assert found == ([] if is_met else [("invariant", "Observation")])


def test_unknown_profile_is_a_warning_where_claimed_and_an_error_where_demanded(
    definitions: Definitions,
) -> None:
    validator = Validator(definitions)
    claims = OBSERVATION | {"meta": {"profile": ["http://x/no"]}}

    [claimed] = validator.validate(claims)
    [demanded] = validator.validate(OBSERVATION, profiles=["http://x/no"])

    assert (claimed.severity, claimed.expression) == ("warning", "Observation.meta.profile[0]")
    assert demanded.severity == "error"


def test_vital_sign_meets_its_profile(definitions: Definitions) -> None:
    rate: Json = {
        "resourceType": "Observation",
        "meta": {"profile": [CORE + "heartrate"]},
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2024-01-01",
        "valueQuantity": {
            "value": 60,
            "unit": "/min",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    }
    wrong = rate | {"valueQuantity": rate["valueQuantity"] | {"code": "Hz"}}

    assert found_by(definitions, rate) == []
    assert found_by(definitions, wrong) == [("value", "Observation.value.ofType(Quantity).code")]


def test_vital_sign_that_claims_nothing_is_warned_of(definitions: Definitions) -> None:
    rate = OBSERVATION | {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}}

    found = Validator(definitions).validate(rate)

    assert {each.severity for each in found} == {"warning"}
