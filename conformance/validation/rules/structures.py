"""Definitions that speak FHIRPath, or of other definitions: what they say can be read.

https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/searchparameter.html
"""

from typing import Any

from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.parser import parse
from conformance.profiles.catalog import Catalog
from conformance.snapshot import SnapshotError
from conformance.validation.faults import Check, Fault, Faults, fault

Json = dict[str, Any]


def check_expression(value: Json) -> Faults:
    """Check that the `expression` of an object is FHIRPath."""
    text = value.get("expression")
    if text.__class__ is not str:
        return None
    try:
        parse(text)
    except FHIRPathError as error:
        return [Fault(".expression", "value", f"found what is not FHIRPath: {error}")]
    return None


def differential_check(catalog: Catalog) -> Check:
    """The check of a profile without snapshot: its elements are those of its base."""

    def check(structure: Json) -> Faults:
        is_profile = structure.get("derivation") == "constraint" and "snapshot" not in structure
        base = structure.get("baseDefinition")
        if not is_profile or base.__class__ is not str or catalog.structure(base) is None:
            return None
        try:
            catalog.tree(structure)
        except SnapshotError as error:
            return fault("structure", f"no snapshot can be made: {error}")
        return None

    return check
