"""Extraction of search parameters. https://hl7.org/fhir/R4/search.html"""

import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance.definitions import Definitions, SearchParameter
from conformance.fhirpath.extraction import Extractor, extractor
from conformance.fhirpath.model import Model

PANEL: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "bp",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/1"},
    "component": [
        {"code": {"text": "systolic"}, "valueQuantity": {"value": 120}},
        {"code": {"text": "diastolic"}, "valueQuantity": {"value": 80}},
        {"code": {"text": "remark"}, "valueString": "lying"},
    ],
}


@pytest.fixture(scope="module")
def extract(definitions: Definitions) -> Extractor:
    return extractor(definitions, "Observation")


def test_only_parameters_that_find_something_are_listed(extract: Extractor) -> None:
    codes = {found.parameter.code for found in extract(PANEL)}

    assert codes == {
        "_id",
        "status",
        "code",
        "subject",
        "patient",
        "combo-code",
        "component-code",
        "component-value-quantity",
        "combo-value-quantity",
        "component-code-value-quantity",
        "combo-code-value-quantity",
    }


def test_alternatives_of_an_expression_are_joined(extract: Extractor) -> None:
    [found] = [each for each in extract(PANEL) if each.parameter.code == "combo-code"]

    assert [kind for kind, _ in found.values] == ["CodeableConcept"] * 4


def test_composite_has_a_group_for_each_place(extract: Extractor) -> None:
    [found] = [
        each for each in extract(PANEL) if each.parameter.code == "component-code-value-quantity"
    ]

    assert found.values == []
    assert found.groups == [
        ([("CodeableConcept", {"text": "systolic"})], [("Quantity", {"value": 120})]),
        ([("CodeableConcept", {"text": "diastolic"})], [("Quantity", {"value": 80})]),
    ]


def test_parameters_of_ones_own_are_compiled_too(definitions: Definitions) -> None:
    colour = SearchParameter(
        "colour",
        "token",
        ("Patient",),
        "Patient.extension('http://x/colour').value as code",
        (),
        (),
        "http://x/SearchParameter/colour",
    )
    extract = extractor(definitions, "Patient", [colour])

    [found] = extract(
        {"resourceType": "Patient", "extension": [{"url": "http://x/colour", "valueCode": "red"}]}
    )

    assert found.values == [("code", "red")]


def resources(cases: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    with tarfile.open(cases / "examples" / "r4-examples.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".json") and (file := archive.extractfile(member)):
                yield member.name, decoder.decode(file.read())


def test_all_parameters_run_over_the_official_examples(
    definitions: Definitions, cases: Path
) -> None:
    model = Model(definitions)
    extractors = {
        name: extractor(definitions, name, model=model) for name in definitions.resource_types
    }
    ids = values = 0
    for name, resource in resources(cases):
        if "resourceType" in resource:
            found = extractors[resource["resourceType"]](resource)
            assert all(each.values or each.groups for each in found), name
            ids += "id" in resource and found[0].parameter.code == "_id"
            values += sum(len(each.values) for each in found)

    assert ids > 1000
    assert values > 30_000
