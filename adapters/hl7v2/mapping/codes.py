"""Coded v2 fields (CE, CWE, ID, IS) to Coding and CodeableConcept.

https://hl7.org/fhir/R4/datatypes.html#CodeableConcept

A code is never dropped: what no table knows stays, under a system of its source's own.
"""

import re
from collections.abc import Container
from typing import Any

from adapters.hl7v2.message import Element
from adapters.hl7v2.source import Source

ALTERNATE_CODES = "http://hl7.org/fhir/StructureDefinition/alternate-codes"

# HL7 table 0396, https://terminology.hl7.org/CodeSystem-v2-0396.html
SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SNM": "http://snomed.info/sct",
    "UCUM": "http://unitsofmeasure.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ATC": "http://www.whocc.no/atc",
}


# How a code of a system looks: one that looks otherwise is the source's own, whatever it says.
FORMS = {
    "http://loinc.org": re.compile(r"(LP|LA|LL|LG|MTHU)?[0-9]{1,7}-[0-9]"),
    "http://snomed.info/sct": re.compile(r"[1-9][0-9]{5,17}"),
}


def system_of(name: str, table: str, source: Source) -> str:
    """Return the URI of a coding system's v2 name; `table` names the field's own codes."""
    if not name or name == "L":
        return source.local(table)
    known = source.code_systems.get(name) or SYSTEMS.get(name)
    if known:
        return known
    if name.startswith("HL7") and name[3:].isdigit():
        return v2_table(name[3:])
    return source.local("".join(name.split()))


def v2_table(number: str) -> str:
    """Return the system of an HL7 v2 table."""
    return f"http://terminology.hl7.org/CodeSystem/v2-{number}"


def concept(element: Element, table: str, source: Source) -> dict[str, Any] | None:
    """Return a CE or CWE with its code, its alternate and its text; None where it is empty."""
    codings = [
        coding for first in (1, 4) if (coding := _coding(element, first, table, source)) is not None
    ]
    text = element.text(9) or element.text(2) or element.text(5) or element.text(1)
    if not text:
        return None
    return {"coding": codings, "text": text} if codings else {"text": text}


def coding(system: str, code: str, display: str = "") -> dict[str, Any]:
    """Return a Coding."""
    found = {"system": system, "code": " ".join(code.split())}
    return found | {"display": display} if display else found


def alternate(said: dict[str, Any]) -> dict[str, Any]:
    """Return what stands beside a required code that says less than the concept it came from."""
    return {"extension": [{"url": ALTERNATE_CODES, "valueCodeableConcept": said}]}


def table_concept(number: str, code: str, known: Container[str]) -> dict[str, Any]:
    """Return a code of an HL7 table as a concept; one that the table does not have is text."""
    return {"coding": [coding(v2_table(number), code)]} if code in known else {"text": code}


def _coding(element: Element, first: int, table: str, source: Source) -> dict[str, Any] | None:
    code, display, name = (element.text(first + i) for i in range(3))
    if not code:
        return None
    system = system_of(name, table, source)
    form = FORMS.get(system)
    if form is not None and form.fullmatch(code) is None:
        system = source.local(table)
    return coding(system, code, display)
