"""Who may do what to which type: reviewed tables, no code.

A change here changes what people see. The sweep test draws the whole effect into
docs/authorization.md, so that a review reads that difference and not only this one.
"""

from typing import Literal

Group = Literal["record", "directory", "definition", "institution", "trail", "internal"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# In the patient compartment of R4: a patient's, its owner's, and those whom a grant permits.
RECORD = _names("""
    Account AdverseEvent AllergyIntolerance Appointment AppointmentResponse Basic BodyStructure
    CarePlan CareTeam ChargeItem Claim ClaimResponse ClinicalImpression Communication
    CommunicationRequest Composition Condition Consent Coverage CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentManifest DocumentReference Encounter EnrollmentRequest EpisodeOfCare
    ExplanationOfBenefit FamilyMemberHistory Flag Goal Group ImagingStudy Immunization
    ImmunizationEvaluation ImmunizationRecommendation Invoice List MeasureReport Media
    MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
    MolecularSequence NutritionOrder Observation Patient Person Procedure Provenance
    QuestionnaireResponse RelatedPerson RequestGroup ResearchSubject RiskAssessment ServiceRequest
    Specimen SupplyDelivery SupplyRequest VisionPrescription
""")

# Says nothing about a patient (a Schedule may: see decide): whoever is logged in reads it.
DIRECTORY = _names("""
    Endpoint HealthcareService InsurancePlan Location Medication Organization
    OrganizationAffiliation Practitioner PractitionerRole Schedule Slot Substance
""")

# Knowledge, terminology and conformance: whoever is logged in reads it.
DEFINITION = _names("""
    ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem
    CompartmentDefinition ConceptMap DeviceDefinition EffectEvidenceSynthesis EventDefinition
    Evidence EvidenceVariable ExampleScenario GraphDefinition ImplementationGuide Library Measure
    MedicationKnowledge MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
    MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition NamingSystem
    ObservationDefinition OperationDefinition PlanDefinition Questionnaire ResearchDefinition
    ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter SpecimenDefinition
    StructureDefinition StructureMap SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
    TerminologyCapabilities TestReport TestScript ValueSet
""")

# In no compartment though it may tell of patients: its owner's, and those whom a package names it
# to.
INSTITUTION = _names("""
    Binary BiologicallyDerivedProduct Bundle Contract Device DeviceMetric EnrollmentResponse
    GuidanceResponse Linkage MessageHeader OperationOutcome Parameters PaymentNotice
    PaymentReconciliation Subscription Task VerificationResult
""")

# Written by the hub alone.
TRAIL = _names("AuditEvent")

# The hub's own records, reached through the admin API and the command line, never through FHIR.
INTERNAL = _names("account audit client grant index job message recipient rule site stamp token")

GROUPS: dict[str, Group] = {
    **dict.fromkeys(RECORD, "record"),
    **dict.fromkeys(DIRECTORY, "directory"),
    **dict.fromkeys(DEFINITION, "definition"),
    **dict.fromkeys(INSTITUTION, "institution"),
    **dict.fromkeys(TRAIL, "trail"),
    **dict.fromkeys(INTERNAL, "internal"),
}

# Who administers the hub without reading the record.
ADMIN_READS = _names("account client job message token")
ADMIN_WRITES = _names("account client job message token")

# What a patient may write: give and withdraw a consent (which fields: consent.may_write).
PATIENT_WRITES: dict[str, frozenset[str]] = {"Consent": _names("create update")}

# What decides about access is not written by those whose access it decides.
_GUARDED = _names("Organization OrganizationAffiliation PractitionerRole Subscription")

# Who did what stays as it was written: it is added to, and neither changed nor deleted.
ADDED_ONLY = _names("Provenance")

# Enough to receive a patient at the desk; nothing that was found or thought about them.
ADMINISTRATIVE = _names("""
    Account Appointment AppointmentResponse Consent Coverage CoverageEligibilityRequest
    CoverageEligibilityResponse Encounter EpisodeOfCare Invoice Patient Person RelatedPerson
    ServiceRequest Task
""")

_CLINICAL = RECORD | (INSTITUTION - _GUARDED)
_NURSING = _CLINICAL - _names("""
    Claim ClaimResponse Contract MedicationRequest NutritionOrder DeviceRequest VisionPrescription
""")
_PHARMACY = _names("""
    Binary Communication DetectedIssue Flag Medication MedicationAdministration MedicationDispense
    MedicationStatement Provenance Task
""")
_BENCH = _names("""
    Binary BodyStructure Device DeviceMetric DiagnosticReport DocumentReference ImagingStudy Media
    MolecularSequence Observation Procedure Provenance Specimen Task
""")
_HOUSE = _names("Endpoint HealthcareService Location Practitioner Schedule Slot")

# duty -> what its bearer reads of what the institution may see (None: all of it).
DUTY_READS: dict[str, frozenset[str] | None] = {
    "physician": None,
    "nurse": None,
    "pharmacist": None,
    "technician": None,
    "manager": None,
    "registrar": ADMINISTRATIVE,
}

# duty -> what its bearer creates, and changes and deletes where the own institution owns it.
DUTY_WRITES: dict[str, frozenset[str]] = {
    "physician": _CLINICAL | _names("Medication Schedule Slot Substance"),
    "nurse": _NURSING | _names("Schedule Slot"),
    "pharmacist": _PHARMACY,
    "technician": _BENCH,
    "registrar": ADMINISTRATIVE | _names("Schedule Slot"),
    "manager": _HOUSE | ADMINISTRATIVE | _names("Communication Provenance"),
}

# A source system of an institution delivers what its staff of all duties records.
FEED_WRITES = (_CLINICAL | _HOUSE | _names("Medication Substance")) - _names("Consent")

# PractitionerRole.code -> duty.
# https://terminology.hl7.org/CodeSystem-practitioner-role.html
DUTY_OF_CODE = {
    "doctor": "physician",
    "gp": "physician",
    "hm-physician": "physician",
    "lab": "technician",
    "nurse": "nurse",
    "pharmacist": "pharmacist",
    "technician": "technician",
    "registrar": "registrar",
    "manager": "manager",
    "physician": "physician",
}


def missing_rules(types: frozenset[str]) -> list[str]:
    """Return the resource types without a group: with any, the server must not start."""
    return sorted(types - GROUPS.keys())
