"""What a rule permits of one type, as a predicate to join with the query."""

from fhir_server.authz.grant import Clause, Rule
from fhir_server.model import Value
from fhir_server.search.tree import (
    EVERYTHING,
    NOTHING,
    Cond,
    Match,
    Node,
    Not,
    both,
    either,
    missing,
)

CODE_PARAM = {
    "AllergyIntolerance": "code",
    "ChargeItem": "code",
    "Composition": "type",
    "Condition": "code",
    "DetectedIssue": "code",
    "DeviceRequest": "code",
    "DiagnosticReport": "code",
    "DocumentManifest": "type",
    "DocumentReference": "type",
    "Encounter": "type",
    "EpisodeOfCare": "type",
    "FamilyMemberHistory": "code",
    "Immunization": "vaccine-code",
    "List": "code",
    "Media": "type",
    "MedicationAdministration": "code",
    "MedicationDispense": "code",
    "MedicationRequest": "code",
    "MedicationStatement": "code",
    "Observation": "code",
    "Procedure": "code",
    "RequestGroup": "code",
    "ServiceRequest": "code",
    "Specimen": "type",
}
"""The search parameter that says what a resource of the type is about."""

CATEGORY_PARAM = {
    "AdverseEvent": "category",
    "AllergyIntolerance": "category",
    "CarePlan": "category",
    "CareTeam": "category",
    "Communication": "category",
    "CommunicationRequest": "category",
    "Composition": "category",
    "Condition": "category",
    "Consent": "category",
    "DiagnosticReport": "category",
    "DocumentReference": "category",
    "Goal": "category",
    "MedicationRequest": "category",
    "MedicationStatement": "category",
    "Observation": "category",
    "Procedure": "category",
    "ServiceRequest": "category",
    "SupplyRequest": "category",
}
"""The search parameter that says to which category a resource of the type belongs."""


def predicate(rule: Rule, type: str) -> Node:
    """Return what holds of the records of `type` that the rule permits and does not deny."""
    permitted = either(*(_permits(clause, type) for clause in rule.permit))
    if permitted == NOTHING:
        return NOTHING
    return both(permitted, *(_not(_denies(clause, type)) for clause in rule.deny))


def _not(node: Node) -> Node:
    return EVERYTHING if node == NOTHING else Not(node)


def _permits(clause: Clause, type: str) -> Node:
    """Return what matches for certain: who does not say what is asked is not permitted."""
    if clause.types and type not in clause.types:
        return NOTHING
    parts = []
    if clause.categories:
        parts.append(_coded(CATEGORY_PARAM.get(type), clause.categories))
    if clause.codes:
        parts.append(_codes(CODE_PARAM.get(type), clause.codes))
    return both(*parts, *_rest(clause))


def _denies(clause: Clause, type: str) -> Node:
    """Return what may match: a record that could say what is asked, and does not, is denied."""
    if clause.types and type not in clause.types:
        return NOTHING
    parts = []
    if clause.categories:
        param = CATEGORY_PARAM.get(type)
        parts.append(_or_missing(param, _coded(param, clause.categories)))
    if clause.codes:
        param = CODE_PARAM.get(type)
        parts.append(_or_missing(param, _codes(param, clause.codes)))
    return both(*parts, *_rest(clause))


def _rest(clause: Clause) -> list[Node]:
    parts = []
    if clause.labels:
        parts.append(_coded("_security", clause.labels))
    if clause.owner:
        parts.append(Match("_owner", (Cond("v", "=", clause.owner),)))
    return parts


def _or_missing(param: str | None, node: Node) -> Node:
    return node if param is None else either(node, missing(param))


def _coded(param: str | None, codings: tuple[tuple[str, str], ...]) -> Node:
    """Return that some entry is one of the codings: one comparison a system."""
    if param is None:
        return NOTHING
    systems: dict[str, list[Value]] = {}
    for system, code in codings:
        systems.setdefault(system, []).append(code)
    return either(
        *(
            Match(param, (Cond("w", "=", system), Cond("v", "in", tuple(codes))))
            for system, codes in systems.items()
        )
    )


def _codes(param: str | None, codes: tuple[tuple[str, str, bool], ...]) -> Node:
    if param is None:
        return NOTHING
    exact = tuple((system, code) for system, code, whole in codes if whole)
    begun = (
        Match(param, (Cond("w", "=", system), Cond("v", "prefix", code)))
        for system, code, whole in codes
        if not whole
    )
    return either(_coded(param, exact), *begun)
