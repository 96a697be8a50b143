"""What the hub's own data categories mean: reviewed tables that a clinician can read.

A consent says "what has to do with my hypertension"; this says which records that is.

Sources: ICD-10 (WHO, 2019) chapters IV and IX; ATC index (WHO Collaborating Centre, 2024) groups
A10, B01A, C01-C03, C07-C10; LOINC 2.77 (© Regenstrief Institute, LOINC licence) for what is
recorded at follow-up visits for hypertension and type 2 diabetes in the national basic public
health programme (国家基本公共卫生服务规范, 3rd edition, 2017). A category tells of what was
measured, found and prescribed; never of visits, notes or documents, which may say more than its
name.
"""

from fhir_server.authz.grant import Clause

SYSTEM = "https://fhir-hub.example/CodeSystem/data-category"

_ICD10 = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")
_LOINC = "http://loinc.org"
_ATC = "http://www.whocc.no/atc"

_MEDICATION = (
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
)
_WHO = Clause(types=("Patient",))
"""Every category tells whom its data are about: without it a reader has numbers and no name."""

_PRESSURE = "85354-9 55284-4 8480-6 8462-4 8478-0 96607-7 97844-5"
_HEART = "8867-4 11524-6"
_BODY = "29463-7 8302-2 39156-5 8280-0 56086-2"
_KIDNEY = "2160-0 14682-9 33914-3 62238-1 98979-8 3094-0 22664-7 9318-7 14959-1 14957-5 32294-1"
_SALTS = "2823-3 2951-2 3084-1 14933-6"
_LIPIDS = (
    "2093-3 14647-2 2085-9 14646-4 13457-7 18262-6 2089-1 22748-8 39469-2 2571-8 14927-8"
    " 24331-1 57698-3"
)
_GLUCOSE = (
    "4548-4 59261-8 17856-6 1558-6 14771-0 14770-2 2339-0 2345-7 14749-6 15074-8 14743-9 41653-7"
    " 1521-4 14760-3 14757-9"
)


def _conditions(*prefixes: str) -> Clause:
    codes = tuple((system, prefix, False) for system in _ICD10 for prefix in prefixes)
    return Clause(types=("Condition",), codes=codes)


def _measured(*groups: str) -> Clause:
    codes = tuple((_LOINC, code, True) for group in groups for code in group.split())
    return Clause(types=("DiagnosticReport", "Observation"), codes=codes)


def _drugs(*prefixes: str) -> Clause:
    return Clause(types=_MEDICATION, codes=tuple((_ATC, prefix, False) for prefix in prefixes))


CATEGORIES: dict[str, tuple[Clause, ...]] = {
    "hypertension": (
        _WHO,
        _conditions("I10", "I11", "I12", "I13", "I15"),
        _measured(_PRESSURE, _HEART, _BODY, _KIDNEY, _SALTS, _LIPIDS),
        _drugs("C02", "C03", "C07", "C08", "C09"),
        Clause(types=("AllergyIntolerance",)),
    ),
    "diabetes": (
        _WHO,
        _conditions("E10", "E11", "E12", "E13", "E14"),
        _measured(_GLUCOSE, _PRESSURE, _BODY, _KIDNEY, _LIPIDS),
        _drugs("A10"),
        Clause(types=("AllergyIntolerance",)),
    ),
    "coronary": (
        _WHO,
        _conditions("I20", "I21", "I22", "I23", "I24", "I25"),
        _measured(_PRESSURE, _HEART, _BODY, _KIDNEY, _SALTS, _LIPIDS, _GLUCOSE),
        _drugs("B01A", "C01", "C02", "C03", "C07", "C08", "C09", "C10"),
        Clause(types=("AllergyIntolerance",)),
    ),
    "demographics": (_WHO, Clause(types=("RelatedPerson",))),
    "allergies": (_WHO, Clause(types=("AllergyIntolerance",))),
    "medication": (_WHO, Clause(types=_MEDICATION)),
    "immunization": (
        _WHO,
        Clause(types=("Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation")),
    ),
    "vital-signs": (
        _WHO,
        Clause(
            types=("Observation",),
            categories=(
                ("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs"),
            ),
        ),
    ),
    "laboratory": (
        _WHO,
        Clause(
            types=("Observation",),
            categories=(
                ("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"),
            ),
        ),
        Clause(
            types=("DiagnosticReport",),
            categories=(("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB"),),
        ),
    ),
}


NAMES: dict[str, tuple[str, str]] = {
    "hypertension": ("高血压相关资料", "data about hypertension"),
    "diabetes": ("糖尿病相关资料", "data about diabetes"),
    "coronary": ("冠心病相关资料", "data about coronary heart disease"),
    "demographics": ("基本身份信息", "name, birth date and contacts"),
    "allergies": ("过敏史", "allergies"),
    "medication": ("用药", "medication"),
    "immunization": ("预防接种", "vaccinations"),
    "vital-signs": ("生命体征", "vital signs"),
    "laboratory": ("检验结果", "laboratory results"),
}
"""What a patient reads: Chinese, English."""
