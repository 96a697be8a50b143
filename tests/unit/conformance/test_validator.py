"""The validator. https://hl7.org/fhir/R4/validation.html

Each defect is put into a valid resource; it is found at its place, and nothing else is.
"""

import copy
from typing import Any

import pytest
from conformance_samples import BUNDLE, DIV, OBSERVATION, PATIENT, Json

from conformance.definitions import Definitions
from conformance.validator import Validator


@pytest.fixture(scope="module")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions)


@pytest.mark.parametrize("resource", [PATIENT, OBSERVATION, BUNDLE])
def test_valid_resources_have_no_issues(validator: Validator, resource: Json) -> None:
    assert validator.validate(resource) == []


def put(resource: Json, path: str, value: Any) -> Json:
    """A copy with a value at a path such as `name/0/family`."""
    changed = copy.deepcopy(resource)
    *parents, last = path.split("/")
    target: Any = changed
    for each in parents:
        target = target[int(each)] if isinstance(target, list) else target[each]
    if value is REMOVED:
        del target[int(last) if isinstance(target, list) else last]
    elif isinstance(target, list):
        target[int(last) :] = [value]
    else:
        target[last] = value
    return changed


REMOVED = object()
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}

Defect = tuple[Json, str, Any, str, str]

DEFECTS: list[Defect] = [
    # unknown elements
    (PATIENT, "colour", "red", "structure", "Patient"),
    (PATIENT, "Gender", "female", "structure", "Patient"),
    (PATIENT, "name/0/first", "x", "structure", "Patient.name[0]"),
    (PATIENT, "_name", {"id": "x"}, "structure", "Patient"),
    (OBSERVATION, "component/0/value", 1, "structure", "Observation.component[0]"),
    # JSON types
    (PATIENT, "active", "true", "structure", "Patient.active"),
    (PATIENT, "name", {"family": "x"}, "structure", "Patient.name"),
    (PATIENT, "name/0", "x", "structure", "Patient.name[0]"),
    (PATIENT, "birthDate", ["1990"], "structure", "Patient.birthDate"),
    (PATIENT, "maritalStatus", [{"text": "x"}], "structure", "Patient.maritalStatus"),
    (PATIENT, "maritalStatus", "M", "structure", "Patient.maritalStatus"),
    (PATIENT, "meta", 1, "structure", "Patient.meta"),
    # cardinality
    (OBSERVATION, "status", REMOVED, "required", "Observation"),
    (OBSERVATION, "code", REMOVED, "required", "Observation"),
    (OBSERVATION, "component/0/code", REMOVED, "required", "Observation.component[0]"),
    (PATIENT, "link/0/other", REMOVED, "required", "Patient.link[0]"),
    # choices
    (PATIENT, "deceasedDateTime", "2020", "structure", "Patient"),
    (OBSERVATION, "component/1/valueInteger", 1, "structure", "Observation.component[1]"),
    (OBSERVATION, "valueAddress", {"text": "x"}, "structure", "Observation"),
    # primitives
    (PATIENT, "birthDate", "2023-02-30", "value", "Patient.birthDate"),
    (PATIENT, "id", "a b", "value", "Patient.id"),
    (PATIENT, "meta/profile/0", "a b", "value", "Patient.meta.profile[0]"),
    (
        OBSERVATION,
        "component/0/valueQuantity/value",
        "107",
        "structure",
        "Observation.component[0].value.ofType(Quantity).value",
    ),
    (
        OBSERVATION,
        "effectiveDateTime",
        "2020-01-01T10:00",
        "value",
        "Observation.effective.ofType(dateTime)",
    ),
    # what stands beside primitives
    (PATIENT, "_birthDate", {}, "structure", "Patient.birthDate"),
    (PATIENT, "_birthDate", {"value": 1}, "structure", "Patient.birthDate"),
    (
        PATIENT,
        "_language",
        {"extension": [{"url": "http://x"}]},
        "invariant",
        "Patient.language.extension[0]",
    ),
    (PATIENT, "name/0/_prefix", {"id": "x"}, "structure", "Patient.name[0].prefix"),
    (PATIENT, "name/0/_family", [{"id": "x"}], "structure", "Patient.name[0].family"),
    (PATIENT, "name/0/_given/1", None, "structure", "Patient.name[0].given"),
    (PATIENT, "name/0/_prefix", [None], "structure", "Patient.name[0].prefix"),
    (PATIENT, "name/0/_suffix", [{"id": "x"}], "invariant", "Patient.name[0].suffix[0]"),
    # emptiness
    (PATIENT, "name", [], "structure", "Patient.name"),
    (PATIENT, "name/0", {}, "structure", "Patient.name[0]"),
    (PATIENT, "name/0", None, "structure", "Patient.name[0]"),
    (PATIENT, "name/0", {"id": "x"}, "invariant", "Patient.name[0]"),
    (PATIENT, "birthDate", None, "structure", "Patient.birthDate"),
    (PATIENT, "name/0/family", "", "value", "Patient.name[0].family"),
    # required bindings
    (PATIENT, "gender", "f", "code-invalid", "Patient.gender"),
    (PATIENT, "contact/0/gender", "F", "code-invalid", "Patient.contact[0].gender"),
    (PATIENT, "gender", REMOVED, "invariant", "Patient.gender"),
    # references
    (
        PATIENT,
        "managingOrganization/reference",
        "Patient/1",
        "value",
        "Patient.managingOrganization",
    ),
    (
        PATIENT,
        "generalPractitioner/0/reference",
        "Patient/1",
        "value",
        "Patient.generalPractitioner[0]",
    ),
    (
        PATIENT,
        "generalPractitioner/0/reference",
        "Doctor/1",
        "value",
        "Patient.generalPractitioner[0]",
    ),
    (PATIENT, "generalPractitioner/0/reference", "1", "value", "Patient.generalPractitioner[0]"),
    (
        PATIENT,
        "generalPractitioner/0/reference",
        "urn uuid",
        "value",
        "Patient.generalPractitioner[0]",
    ),
    (
        PATIENT,
        "generalPractitioner/0/reference",
        "#no",
        "not-found",
        "Patient.generalPractitioner[0]",
    ),
    # contained
    (PATIENT, "contained/0/name", 1, "structure", "Patient.contained[0].name"),
    (PATIENT, "contained/0/meta", {"versionId": "1"}, "invariant", "Patient"),
    (PATIENT, "contained/0/meta", {"security": [LABEL]}, "invariant", "Patient"),
    (
        PATIENT,
        "contained/1",
        {"resourceType": "Basic", "id": "b", "code": {"text": "x"}},
        "invariant",
        "Patient.contained[1]",
    ),
    (
        PATIENT,
        "contained/1",
        {"resourceType": "Organization", "name": "x"},
        "required",
        "Patient.contained[1]",
    ),
    # extensions
    (PATIENT, "extension/0/url", REMOVED, "required", "Patient.extension[0]"),
    (PATIENT, "extension/0/url", "relative", "value", "Patient.extension[0]"),
    (PATIENT, "extension/0/valueString", REMOVED, "invariant", "Patient.extension[0]"),
    (PATIENT, "extension/0/valueInteger", 1, "structure", "Patient.extension[0]"),
    (PATIENT, "extension/1/valueString", "x", "invariant", "Patient.extension[1]"),
    # narrative
    (PATIENT, "text/div", DIV.replace("A", "<script>x</script>A"), "invariant", "Patient.text.div"),
    (PATIENT, "text/div", "A", "structure", "Patient.text.div"),
    (PATIENT, "text/status", "made", "code-invalid", "Patient.text.status"),
    # bundles
    (BUNDLE, "entry/0/resource/gender", "x", "code-invalid", "Bundle.entry[0].resource.gender"),
    (BUNDLE, "entry/1/resource/resourceType", "Nothing", "structure", "Bundle.entry[1].resource"),
    (BUNDLE, "entry/1/resource/resourceType", REMOVED, "structure", "Bundle.entry[1].resource"),
    (BUNDLE, "entry/1/request/method", "post", "code-invalid", "Bundle.entry[1].request.method"),
    (BUNDLE, "entry/1/resource", [OBSERVATION], "structure", "Bundle.entry[1].resource"),
]


@pytest.mark.parametrize(
    ("resource", "path", "value", "code", "expression"),
    DEFECTS,
    ids=[f"{each[0]['resourceType']}-{each[1]}-{ix}" for ix, each in enumerate(DEFECTS)],
)
def test_defect_is_found_at_its_place_and_nothing_else_is(
    validator: Validator, resource: Json, path: str, value: Any, code: str, expression: str
) -> None:
    found = validator.validate(put(resource, path, value))

    assert [(each.code, each.expression) for each in found] == [(code, expression)]


def test_all_problems_are_found_in_one_pass(validator: Validator) -> None:
    wrong = PATIENT | {"gender": "f", "birthDate": "1990-13", "colour": 1, "name": []}

    places = {each.expression for each in validator.validate(wrong)}

    assert places == {"Patient.gender", "Patient.birthDate", "Patient", "Patient.name"}


def test_message_says_what_was_found_and_expected(validator: Validator) -> None:
    [found] = validator.validate(put(PATIENT, "gender", "f"))

    assert found.diagnostics == (
        'found "f", expected female, male, other, unknown'
        " (of http://hl7.org/fhir/ValueSet/administrative-gender)"
    )


def test_required_code_with_extensions_only_is_refused(validator: Validator) -> None:
    """Required: instances of this element SHALL include a code from the specified value set."""
    wrong = put(OBSERVATION, "status", REMOVED) | {
        "_status": {"extension": [{"url": "http://x", "valueCode": "unknown"}]}
    }

    [found] = validator.validate(wrong)

    assert (found.code, found.expression) == ("code-invalid", "Observation.status")


def test_required_concept_needs_a_coding_of_the_value_set(validator: Validator) -> None:
    allergy: Json = {
        "resourceType": "AllergyIntolerance",
        "patient": {"reference": "Patient/1"},
        "clinicalStatus": {"text": "active"},
    }

    [found] = validator.validate(allergy)

    assert (found.code, found.expression) == ("code-invalid", "AllergyIntolerance.clinicalStatus")


def test_conditional_references_of_transactions_pass(validator: Validator) -> None:
    reference = {"reference": "Patient?identifier=http://x|1"}

    assert validator.validate(OBSERVATION | {"subject": reference}) == []


def test_logical_target_type_is_checked(validator: Validator) -> None:
    wrong = OBSERVATION | {"subject": {"type": "Medication", "display": "x"}}

    [found] = validator.validate(wrong)

    assert found.expression == "Observation.subject"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, {"resourceType": []}, {"resourceType": 1}])
def test_what_is_no_resource_is_one_issue(validator: Validator, value: Any) -> None:
    [found] = validator.validate(value)

    assert (found.code, found.expression) == ("structure", "Resource")


def test_endless_nesting_is_an_issue_not_a_crash(validator: Validator) -> None:
    item: Json = {"linkId": "1", "type": "group"}
    for _ in range(20_000):
        item = {"linkId": "1", "type": "group", "item": [item]}

    [found] = validator.validate(
        {"resourceType": "Questionnaire", "status": "draft", "item": [item]}
    )

    assert found.code == "too-costly"


def test_very_long_numbers_are_issues_not_crashes(validator: Validator) -> None:
    """Python refuses to write an integer of more than 4,300 digits."""
    [found] = validator.validate(put(PATIENT, "gender", 10**5000))

    assert found.expression == "Patient.gender"
