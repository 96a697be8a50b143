"""Invariants that closures check say the same as their published expressions."""

import copy
from typing import Any

import pytest
from conformance_samples import PATIENT, Json

from conformance.definitions import Definitions
from conformance.fhirpath import compile
from conformance.validator import Validator

ORGANIZATION: Json = {"resourceType": "Organization", "id": "o", "name": "x"}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def containing(**more: Any) -> Json:
    return PATIENT | {"contained": [ORGANIZATION | more]}


def with_extension(**value: Any) -> Json:
    return PATIENT | {"extension": [{"url": "http://x/e", **value}]}


INNER = {"extension": [{"url": "a", "valueString": "x"}]}

ROWS: list[tuple[str, str, Json]] = [
    ("dom-2", "", containing()),
    ("dom-2", "", containing(contained=[ORGANIZATION])),
    ("dom-4", "", containing(meta={"tag": [LABEL]})),
    ("dom-4", "", containing(meta={"versionId": "1"})),
    ("dom-4", "", containing(meta={"lastUpdated": "2020-01-01T10:00:00Z"})),
    ("dom-5", "", containing(meta={"versionId": "1"})),
    ("dom-5", "", containing(meta={"security": [LABEL]})),
    ("ext-1", "extension", with_extension(valueString="x")),
    ("ext-1", "extension", with_extension(_valueString=INNER)),
    ("ext-1", "extension", with_extension(**INNER)),
    ("ext-1", "extension", with_extension(valueString="x", **INNER)),
    ("ext-1", "extension", with_extension()),
    ("ele-1", "maritalStatus", PATIENT | {"maritalStatus": {"text": "x"}}),
    ("ele-1", "maritalStatus", PATIENT | {"maritalStatus": {"id": "x"}}),
    ("ele-1", "maritalStatus", PATIENT | {"maritalStatus": {"id": "x", "text": "x"}}),
]


@pytest.mark.parametrize(("key", "element", "resource"), ROWS)
def test_closure_agrees_with_the_expression(
    definitions: Definitions, key: str, element: str, resource: Json
) -> None:
    held = definitions.elements("Patient")[element].types[0] if element else "Patient"
    [published] = {each.expression for each in definitions.invariants(held) if each.key == key}
    text = f"{element}.all({published})" if element else published
    [(_, holds)] = compile(text, definitions, "Patient")(copy.deepcopy(resource))

    found = Validator(definitions, warnings=False).validate(resource)

    assert any(f"({key})" in each.diagnostics for each in found) is not holds
