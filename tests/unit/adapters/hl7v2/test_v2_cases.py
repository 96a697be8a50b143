"""Public pairs of message and Bundle (CDC ReportStream, CC0): facts compared, not JSON."""

import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hl7v2.convert import convert
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.message import parse

_CASES = os.environ.get("FHIR_CASES")
pytestmark = pytest.mark.skipif(not _CASES, reason="FHIR_CASES names no folder of public cases")

# Elements whose facts must be among ours wherever a pair has them
_PLAIN = {
    "Patient.name.family",
    "Patient.name.given",
    "Patient.birthDate",
    "Patient.gender",
    "Patient.address.line",
    "Patient.address.city",
    "Patient.address.postalCode",
    "Observation.code.coding.code",
    "Observation.valueCodeableConcept.coding.code",
    "DiagnosticReport.code.coding.code",
}


def _pairs():
    with tarfile.open(Path(_CASES) / "hl7v2" / "pairs.tar.xz") as archive:
        files = {
            member.name.rsplit("/", 1)[-1]: archive.extractfile(member).read()
            for member in archive
            if member.isfile()
        }
    for name, raw in files.items():
        if name.endswith(".hl7"):
            yield name, raw, json.loads(files[name.replace(".hl7", ".fhir.json")])


def _facts(value, path):
    match value:
        case dict():
            for name, inner in value.items():
                yield from _facts(inner, f"{path}.{name}")
        case list():
            for inner in value:
                yield from _facts(inner, path)
        case _:
            yield path, str(value)


def _of(bundle):
    return {
        fact
        for entry in bundle["entry"]
        for fact in _facts(entry["resource"], entry["resource"]["resourceType"])
        if fact[0] in _PLAIN
    }


def test_facts_of_the_pairs_are_found(source, ids, received):
    compared, missing = 0, []
    for name, raw, expected in _pairs():
        first = parse(raw.decode()).first("PID")
        authority = replace(source.patient, name=first.text(3, 4) if first else "")
        lenient = replace(source, patient=authority, identity="message")
        try:
            ours = _of(convert(raw, lenient, ids, received))
        except ContentFault:  # fragments without PID, and orders, which are not mapped yet
            continue
        compared += 1
        missing += [(name, fact) for fact in _of(expected) - ours]

    assert (compared >= 75, missing) == (True, [])
