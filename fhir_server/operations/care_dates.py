"""When what a record tells of took place: care dates, for `start` and `end` of `$everything`.

https://hl7.org/fhir/R4/patient-operation-everything.html

A record is in a range if its time overlaps it. A record without a time, and one of a type that is
not in the table (who a patient is, whom they know, how they are insured, what they consented to,
what they do not tolerate), is in every range.
"""

from fhir_server.search import date
from fhir_server.search.alternatives import cond
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import EVERYTHING, Match, Node, Not, both, either, missing

CARE_DATE = {
    "AdverseEvent": "date",
    "Appointment": "date",
    "CarePlan": "date",
    "CareTeam": "date",
    "ChargeItem": "occurrence",
    "Claim": "created",
    "ClaimResponse": "created",
    "ClinicalImpression": "date",
    "Communication": "sent",
    "CommunicationRequest": "authored",
    "Composition": "date",
    "Condition": "onset-date",
    "CoverageEligibilityRequest": "created",
    "CoverageEligibilityResponse": "created",
    "DetectedIssue": "identified",
    "DeviceRequest": "authored-on",
    "DiagnosticReport": "date",
    "DocumentManifest": "created",
    "DocumentReference": "date",
    "Encounter": "date",
    "EpisodeOfCare": "date",
    "ExplanationOfBenefit": "created",
    "Flag": "date",
    "Goal": "start-date",
    "ImagingStudy": "started",
    "Immunization": "date",
    "ImmunizationEvaluation": "date",
    "ImmunizationRecommendation": "date",
    "Invoice": "date",
    "List": "date",
    "MeasureReport": "period",
    "Media": "created",
    "MedicationAdministration": "effective-time",
    "MedicationDispense": "whenhandedover",
    "MedicationRequest": "authoredon",
    "MedicationStatement": "effective",
    "NutritionOrder": "datetime",
    "Observation": "date",
    "Procedure": "date",
    "Provenance": "recorded",
    "QuestionnaireResponse": "authored",
    "RequestGroup": "authored",
    "ResearchSubject": "date",
    "RiskAssessment": "date",
    "Schedule": "date",
    "ServiceRequest": "authored",
    "Specimen": "collected",
    "SupplyRequest": "date",
    "VisionPrescription": "datewritten",
}
"""Type -> the search parameter of its care date."""

_LASTS_UNTIL = {"Condition": "abatement-date"}
"""Types whose records last from their care date on: the parameter of their end."""


def within(type: str, start: str, end: str) -> Node:
    """Return what holds of the records of a type in the range; an empty text leaves it open.

    ValueError for what is no date.

    >>> within("Patient", "2024", "")
    And(nodes=())
    """
    low = date.span(start, SHANGHAI)[0] if start else None
    high = date.span(end, SHANGHAI)[1] if end else None
    param = CARE_DATE.get(type)
    if param is None or (low is None and high is None):
        return EVERYTHING
    until = cond("v", "<", high) if high is not None else ()
    if low is None:
        return either(Match(param, until), missing(param))
    if type in _LASTS_UNTIL:
        over = Match(_LASTS_UNTIL[type], cond("w", "<=", low))
        return both(either(Match(param, until), missing(param)), Not(over))
    return either(Match(param, cond("w", ">", low) + until), missing(param))
