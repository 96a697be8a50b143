"""The rules by type."""

import re
from collections.abc import Callable, Mapping

from conformance.definitions import Definitions
from conformance.validation.faults import Check
from conformance.validation.invariants import Rule
from conformance.validation.rules.attachments import check_attachment
from conformance.validation.rules.bundle_references import check_references
from conformance.validation.rules.bundles import bundle_check
from conformance.validation.rules.codings import coding_check, quantity_check
from conformance.validation.rules.identifiers import check_identifier
from conformance.validation.systems import Systems

SIMPLE_QUANTITY = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"


def rules_of(
    definitions: Definitions, systems: Systems, matches: Callable[[str], re.Match[str] | None]
) -> Mapping[str, tuple[Rule, ...]]:
    """Type -> the rules of its objects, beside its invariants."""
    return {
        "Identifier": (_on(check_identifier, "system"),),
        "Coding": (_on(coding_check(systems), "system"),),
        "Quantity": (_on(quantity_check(systems), "system"),),
        "Attachment": (_on(check_attachment, "size", "hash"),),
        "Bundle": (
            _on(bundle_check(matches), "entry", "link"),
            _on(check_references, "entry"),
        ),
    }


def _on(check: Check, *keys: str) -> Rule:
    return Rule(frozenset(keys), check)
