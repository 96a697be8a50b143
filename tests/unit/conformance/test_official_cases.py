"""The validator on the official examples, and on defects labelled by the official validator."""

import copy
import json
import re
import tarfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance.definitions import Definitions
from conformance.validator import Validator

Json = dict[str, Any]

# Examples that break R4's own rules, by what is found in them (quoted texts left out).
BROKEN = {
    "found no resourceType, expected the name of a type": {"package-min-ver.json"},
    "found no base, expected at least 1": {
        "codesystem-extensions-CodeSystem-end.json",
        "codesystem-extensions-CodeSystem-keyword.json",
        "valueset-extensions-ValueSet-author.json",
    },
    "found a reference to DeviceDefinition, expected Device": {"devicemetric-example.json"},
    "found http://hl7.org/fhir/StructureDefinition/valueset-concept-comments here,"
    " expected it on ValueSet.compose.include.concept": {"codesystem-dicom-dcim.json"},
    "found …, expected an absolute URI, as the system urn:ietf:rfc:3986 says": {
        "consent.profile.json",
        "json-edge-cases.json",
    },
    "If the structure is not abstract, then there SHALL be a baseDefinition (sdf-4)": {
        "event.json"
    },
    # that their search parameters do not have
    "found the type …": {
        "capabilitystatement-knowledge-repository.json",
        "capabilitystatement-measure-processor.json",
        "capabilitystatement-terminology-server.json",
    },
    # TAB, in a code system that minds case
    "found …, expected a code of http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm": {
        "medicationexample0304.json",
        "medicationexample0309.json",
        "medicationrequest0313.json",
        "medicationrequest0327.json",
        "medicationstatementexample2.json",
        "medicationstatementexample3.json",
    },
    "found the fullUrl …, expected it to end in Patient/pat2": {
        "message-request-link.json",
        "message-response-link.json",
    },
    "found …, expected a contained resource with that id": {
        "plandefinition-example-cardiology-os.json"
    },
    "found …, expected urn:uuid: followed by a UUID in lower case": {
        "terminologycapabilities-example.json"
    },
}
# Generated questionnaires have items without linkId; 26 examples have relative canonicals.
NO_LINK_ID = "found no linkId, expected at least 1"
RELATIVE = "found …, expected an absolute URL, or #id of a contained resource"

# A wrong display makes the official validator forget that the code is right.
WAITING = {"display-changed"}


@pytest.fixture(scope="module")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions, warnings=False)


@pytest.fixture(scope="module")
def examples(cases: Path) -> dict[str, Json]:
    decoder = msgspec.json.Decoder(Json, float_hook=Decimal)
    with tarfile.open(cases / "examples" / "r4-examples.tar.xz") as archive:
        return {
            member.name: decoder.decode(file.read())
            for member in archive
            if member.name.endswith(".json") and (file := archive.extractfile(member))
        }


def test_valid_official_examples_are_accepted(
    validator: Validator, examples: dict[str, Json]
) -> None:
    broken: dict[str, set[str]] = {}
    for name, each in examples.items():
        reasons = {shown(issue.diagnostics) for issue in validator.validate(each)}
        for reason in reasons if NO_LINK_ID not in reasons else ():
            broken.setdefault(reason, set()).add(name)

    assert len(broken.pop(RELATIVE)) == 26
    assert broken == BROKEN


def shown(diagnostics: str) -> str:
    """What an issue says, whatever text it quotes."""
    return re.sub(r'"[^"]*"|(?<=found the type ).*', "…", diagnostics)


def test_defects_are_found_and_harmless_changes_are_not(
    validator: Validator, examples: dict[str, Json], cases: Path
) -> None:
    text = (cases / "validator" / "mutations.json").read_text(encoding="utf-8")
    agreed: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    false_errors: list[str] = []
    for case in json.loads(text, parse_float=Decimal)["cases"]:
        if case.get("disputed"):
            continue
        kind = case["kind"]
        found = validator.validate(patched(examples[case["example"]], case["patch"]))
        if bool(found) != case["valid"]:
            agreed[kind] += 1
        elif case["valid"]:
            false_errors.append(f"{kind} {case['example']} {found[0]}")
        else:
            missed[kind] += 1

    print(f"{agreed.total()} of {agreed.total() + missed.total()} agree")
    assert false_errors == []
    assert set(missed) <= WAITING


def patched(resource: Json, patch: list[Json]) -> Json:
    changed: Any = copy.deepcopy(resource)
    for step in patch:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]
        ]
        target = changed
        for each in parents:
            target = target[int(each)] if isinstance(target, list) else target[each]
        apply(target, last, step)
    return dict(changed)


def apply(target: Any, last: str, step: Json) -> None:
    match step["op"], target:
        case "add", list():
            target.insert(len(target) if last == "-" else int(last), step["value"])
        case "remove", list():
            del target[int(last)]
        case "remove", _:
            del target[last]
        case "add" | "replace", _:
            target[int(last) if isinstance(target, list) else last] = step["value"]
        case _:
            raise NotImplementedError(step["op"])
