"""The validator on the official examples, and on defects labelled by the official validator."""

import copy
import json
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

# Examples that R4's own rules refuse, with the reason; generated questionnaires also lack linkIds.
INVALID = {
    "package-min-ver.json": "found no resourceType, expected the name of a type",
    "codesystem-extensions-CodeSystem-end.json": "found no base, expected at least 1",
    "codesystem-extensions-CodeSystem-keyword.json": "found no base, expected at least 1",
    "valueset-extensions-ValueSet-author.json": "found no base, expected at least 1",
    "devicemetric-example.json": "found a reference to DeviceDefinition, expected Device",
}
NO_LINK_ID = "found no linkId, expected at least 1"

# Kinds of defects that need what is not built yet: definitions of extensions, code systems,
# currencies, rules of Bundles, absolute canonicals and systems, display texts, languages.
WAITING = {
    "bundle-fullurl-mismatch",
    "bundle-fullurl-missing",
    "bundle-fullurl-relative",
    "canonical-relative",
    "code-not-in-binding",
    "coding-system-relative",
    "contained-remove",
    "display-changed",
    "extension-known-wrong-context",
    "extension-known-wrong-type",
    "identifier-system-relative",
    "language-invalid",
    "meta-profile-relative",
    "primitive-decimal-changed",
    "unknown-code-in-known-system",
}


@pytest.fixture(scope="module")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions)


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
    refused = {name: validator.validate(each) for name, each in examples.items()}
    reasons = {
        name: {each.diagnostics for each in found} for name, found in refused.items() if found
    }
    others = {name: found for name, found in reasons.items() if found != {NO_LINK_ID}}

    assert others == {name: {reason} for name, reason in INVALID.items() if name in examples}


def test_structural_defects_are_found_and_harmless_changes_are_not(
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

    structural = {kind for kind in {*agreed, *missed} if not is_invariant(kind)}
    print(f"all kinds: {agreed.total()} of {agreed.total() + missed.total()} agree")
    assert false_errors == []
    assert {kind for kind in structural if missed[kind]} <= WAITING


def is_invariant(kind: str) -> bool:
    """Whether a kind is named by the key of an invariant, such as obs-6 or tim-9-when."""
    key, _, rest = kind.partition("-")
    return len(key) in (3, 4) and rest[:1].isdigit()


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
