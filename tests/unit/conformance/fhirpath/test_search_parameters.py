"""All search parameters of the specification. https://hl7.org/fhir/R4/searchparameter-registry.html"""

import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from conformance.definitions import Definitions
from conformance.fhirpath.expression import Expression, compile_with
from conformance.fhirpath.model import Model


def compiled(model: Model, type_name: str) -> list[tuple[Expression, list[Expression]]]:
    """The parameters of a type, each with its components on what it finds."""
    found = []
    for each in model.definitions.search_parameters(type_name).values():
        whole = compile_with(model, each.expression, [type_name])
        parts = [compile_with(model, text, whole.types or ()) for _, text in each.components]
        found.append((whole, parts))
    return found


def test_every_parameter_compiles_for_every_type(model: Model, definitions: Definitions) -> None:
    assert all(compiled(model, name) for name in definitions.resource_types)


def resources(cases: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    with tarfile.open(cases / "examples" / "r4-examples.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".json") and (file := archive.extractfile(member)):
                yield member.name, decoder.decode(file.read())


def test_every_parameter_runs_over_the_official_examples(
    model: Model, definitions: Definitions, cases: Path
) -> None:
    by_type = {name: compiled(model, name) for name in definitions.resource_types}
    values = 0
    for _, resource in resources(cases):
        for whole, _parts in by_type.get(str(resource.get("resourceType")), []):
            values += len(whole(resource))

    assert values > 30_000
