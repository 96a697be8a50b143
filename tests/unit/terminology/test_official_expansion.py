"""The public cases for terminology servers, as far as they ask which codes a value set means.

https://github.com/HL7/fhir-tx-ecosystem-ig
"""

import json
import os
import tarfile
from pathlib import Path

import pytest

from conformance.definitions import load
from conformance.valuesets import matcher
from terminology.concepts import ConceptTree
from terminology.errors import TerminologyError
from terminology.expansion import Expansion

SHOWN_ALONE = {
    "url", "valueSet", "displayLanguage", "includeDesignations", "includeDefinition",
    "excludeNested", "property", "designation", "x-system-cache-id", "tx-resource",
}  # fmt: skip
"""Parameters that change what is told of a code and not which codes there are."""

OTHERWISE = {
    "extensions-echo-bad-supplement": "supplements have no part in which codes there are",
    "expand-exclude-versioned": "what is left out is a code, in all versions of its system",
    "expand-exclude-enum": "what is left out is a code, in all versions of its system",
    "fragment-expansion": "a system of which only a part is known is meant as a whole",
}


class Given:
    """The resources of a suite, and those of R4."""

    def __init__(self, resources):
        self._library = load().library
        self._known = {}
        for each in resources:
            for name in (each.get("url"), f"{each.get('url')}|{each.get('version')}"):
                known = self._known.setdefault((each["resourceType"], name), each)
                if known.get("version", "") < each.get("version", ""):
                    self._known[each["resourceType"], name] = each

    def value_set(self, canonical):
        found = self._known.get(("ValueSet", canonical))
        return found or self._library.value_sets.get(canonical)

    def code_system(self, canonical):
        found = self._known.get(("CodeSystem", canonical))
        return found or self._library.code_systems.get(canonical)

    def tree(self, canonical, system):
        return ConceptTree(system)


def _cases():
    if "FHIR_CASES" not in os.environ:
        reason = "FHIR_CASES names no folder with the public cases"
        yield pytest.param({}, "", "", marks=pytest.mark.skip(reason=reason))
        return
    folder = Path(os.environ["FHIR_CASES"]) / "tx"
    with tarfile.open(folder / "files.tar.xz") as archive:
        files = {
            member.name.removeprefix("./"): json.load(archive.extractfile(member))
            for member in archive
            if member.name.endswith(".json")
        }
    for suite in json.loads((folder / "test-cases.json").read_text())["suites"]:
        for test in suite["tests"]:
            if test["operation"] == "expand" and test["name"] not in OTHERWISE:
                request, response = files[test["request"]], files[test["response"]]
                if {each["name"] for each in request["parameter"]} <= SHOWN_ALONE:
                    resources = [files[name] for name in suite["setup"]]
                    yield pytest.param(resources, request, response, id=test["name"])


def _contained(contains):
    for each in contains:
        if "code" in each:
            yield each["system"], each["code"]
        yield from _contained(each.get("contains", []))


@pytest.mark.parametrize(("resources", "request_", "response"), list(_cases()))
def test_codes_of_a_value_set(resources, request_, response):
    given = {each["name"]: each for each in request_["parameter"]}
    more = [each["resource"] for each in request_["parameter"] if each["name"] == "tx-resource"]
    if "valueSet" in given:
        asked = {"url": "urn:asked", **given["valueSet"]["resource"]}
        more.append(asked)
        url = asked["url"]
    else:
        url = next(value for name, value in given["url"].items() if name.startswith("value"))
    expansion = Expansion(Given([*resources, *more]), matcher, 10_000)

    if response["resourceType"] == "OperationOutcome":
        with pytest.raises(TerminologyError):
            expansion.of(url)
        return
    found = {(system, code) for system, part in expansion.of(url).items() for code in part.codes}
    assert found == set(_contained(response["expansion"].get("contains", [])))
