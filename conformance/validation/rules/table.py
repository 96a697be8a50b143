"""The rules by type."""

import re
from collections.abc import Callable, Mapping

from conformance.definitions import Definitions
from conformance.profiles.catalog import Catalog
from conformance.validation.faults import Check
from conformance.validation.invariants import Rule
from conformance.validation.rules.attachments import check_attachment
from conformance.validation.rules.bundle_references import references_check
from conformance.validation.rules.bundles import bundle_check
from conformance.validation.rules.canonicals import (
    check_url,
    derived_check,
    parameter_check,
)
from conformance.validation.rules.codings import coding_check
from conformance.validation.rules.identifiers import check_identifier
from conformance.validation.rules.questionnaires import check_questionnaire
from conformance.validation.rules.responses import response_check
from conformance.validation.rules.structures import check_expression, differential_check
from conformance.validation.rules.value_sets import check_include
from conformance.validation.systems import Systems

SIMPLE_QUANTITY = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"


def rules_of(
    definitions: Definitions,
    catalog: Catalog,
    systems: Systems,
    matches: Callable[[str], re.Match[str] | None],
) -> Mapping[str, tuple[Rule, ...]]:
    """Type -> the rules of its objects, beside its invariants."""
    definable = (
        name
        for name in definitions.resource_types
        if {"url", "status"} <= definitions.elements(name).keys()
    )
    coding = coding_check(systems)
    by_type: dict[str, tuple[Rule, ...]] = {
        "Identifier": (_on(check_identifier, "system"),),
        "Coding": (_on(coding, "system"),),
        "Quantity": (_on(coding, "system"),),
        "Attachment": (_on(check_attachment, "size", "hash"),),
        "Bundle": (
            _on(bundle_check(matches, definitions.resource_types), "entry", "link"),
            _on(references_check(definitions), "entry"),
        ),
        "ValueSet.compose.include": (_on(check_include, "system"),),
        "CapabilityStatement.rest.resource.searchParam": (
            _on(parameter_check(definitions), "definition"),
        ),
        "ElementDefinition.constraint": (_on(check_expression, "expression"),),
        "Questionnaire": (_on(check_questionnaire, "item"),),
        "QuestionnaireResponse": (
            _on(response_check(catalog.questionnaires, catalog.codes), "questionnaire"),
        ),
        "SearchParameter": (
            _on(derived_check(definitions), "derivedFrom"),
            _on(check_expression, "expression"),
        ),
        "StructureDefinition": (_on(differential_check(catalog), "differential"),),
    }
    for name in definable:
        by_type[name] = (*by_type.get(name, ()), _on(check_url, "url"))
    return by_type


def _on(check: Check, *keys: str) -> Rule:
    return Rule(frozenset(keys), check)
