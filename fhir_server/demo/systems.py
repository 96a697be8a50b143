"""Identifier and code systems of the demo city.

https://hl7.org/fhir/R4/terminologies-systems.html

Arc 2.999 is the one that ISO/IEC 9834-1 keeps for examples: no real register uses it.
"""

RESIDENT_ID = "urn:oid:2.16.156.10011.1.3"  # GB 11643 citizen identification number

_ARC = {
    "hospital": "urn:oid:2.999.86.1",
    "clinic-east": "urn:oid:2.999.86.2",
    "clinic-west": "urn:oid:2.999.86.3",
    "hub-office": "urn:oid:2.999.86.9",
}
_BRANCH = {"patient": 1, "visit": 2, "order": 3, "report": 4, "staff": 5, "organization": 6}


def numbers(owner: str, kind: str) -> str:
    """Returns the system in which `owner` numbers its `kind`: patient, visit, order, report…"""
    return f"{_ARC[owner]}.{_BRANCH[kind]}"


LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"

_HL7 = "http://terminology.hl7.org/CodeSystem/"
ACT_CODE = _HL7 + "v3-ActCode"
INTERPRETATION = _HL7 + "v3-ObservationInterpretation"
OBSERVATION_CATEGORY = _HL7 + "observation-category"
SECTION = _HL7 + "v2-0074"
IDENTIFIER_TYPE = _HL7 + "v2-0203"
CONDITION_CLINICAL = _HL7 + "condition-clinical"
CONDITION_STATUS = _HL7 + "condition-ver-status"
CONDITION_CATEGORY = _HL7 + "condition-category"
ALLERGY_CLINICAL = _HL7 + "allergyintolerance-clinical"
ALLERGY_STATUS = _HL7 + "allergyintolerance-verification"
ORGANIZATION_TYPE = _HL7 + "organization-type"
PRACTITIONER_ROLE = _HL7 + "practitioner-role"
PHYSICAL_TYPE = _HL7 + "location-physical-type"
MARITAL_STATUS = _HL7 + "v3-MaritalStatus"
RELATIONSHIP = _HL7 + "v2-0131"
GOAL_ACHIEVEMENT = _HL7 + "goal-achievement"
DISCHARGE = _HL7 + "discharge-disposition"
DIAGNOSIS_ROLE = _HL7 + "diagnosis-role"
APPOINTMENT_REASON = _HL7 + "v2-0276"

_OWN = "https://fhir-hub.example/CodeSystem/"
STAFF_ROLE = _OWN + "staff-role"
VISIT_TYPE = _OWN + "visit-type"
EXAM = _OWN + "health-exam"
EPISODE_TYPE = _OWN + "episode-type"
