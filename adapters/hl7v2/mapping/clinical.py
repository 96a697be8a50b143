"""DG1 to Condition, AL1 to AllergyIntolerance.

https://hl7.org/fhir/R4/condition.html, https://hl7.org/fhir/R4/allergyintolerance.html
"""

import re
from collections.abc import Sequence
from typing import Any

from adapters.hl7v2.faults import REQUIRED_MISSING
from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import coding, concept
from adapters.hl7v2.mapping.identifiers import staff_reference
from adapters.hl7v2.mapping.parts import Part, contribute, reference
from adapters.hl7v2.mapping.times import date_time
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Segment

_CONDITION = "http://terminology.hl7.org/CodeSystem/condition-"
_ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
_RANK = re.compile(r"0*[1-9][0-9]{0,3}")
_ROLE = "http://terminology.hl7.org/CodeSystem/diagnosis-role"


def conditions(
    segments: Sequence[Segment], visit: tuple[str, str], patient_id: str, work: Work
) -> list[Contribution]:
    """Return the diagnoses of a visit; one code of one visit is one Condition."""
    return [_condition(dg1, visit, patient_id, work) for dg1 in segments]


def diagnoses(segments: Sequence[Segment], found: Sequence[Contribution]) -> list[dict[str, Any]]:
    """Return the entries of Encounter.diagnosis for DG1 segments and their conditions."""
    entries = []
    for dg1, one in zip(segments, found, strict=True):
        entry: dict[str, Any] = {"condition": reference("Condition", one.id)}
        use = tables.DIAGNOSIS_TYPES.get(dg1.text(6), tables.DIAGNOSIS_UNSAID)[2]
        priority = dg1.text(15)
        entry |= {"use": {"coding": [coding(_ROLE, use)]}} if use else {}
        entry |= {"rank": int(priority)} if _RANK.fullmatch(priority) else {}
        entries.append(entry)
    return entries


def allergies(
    segments: Sequence[Segment], patient_key: tuple[str, str], work: Work
) -> list[Contribution]:
    """Return the allergies of a patient; one allergen is one AllergyIntolerance."""
    return [_allergy(al1, patient_key, work) for al1 in segments if al1.text(3) or al1.text(3, 2)]


def _condition(dg1: Segment, visit: tuple[str, str], patient_id: str, work: Work) -> Contribution:
    code = concept(dg1.element(3), "DG1-3", work.source)
    if code is None:
        text = dg1.text(4)
        if not text:
            raise dg1.fault(
                REQUIRED_MISSING, 3, "expected a diagnosis: a code here or text in DG1-4"
            )
        code = {"text": text}
    system, number = visit
    key = f"{number}|{dg1.text(3) or code['text']}"
    encounter = reference("Encounter", work.ids("Encounter", system, number))
    category = coding(_CONDITION + "category", "encounter-diagnosis", "Encounter Diagnosis")
    about: dict[str, Any] = {
        "code": code,
        "category": [{"coding": [category]}],
        "subject": reference("Patient", patient_id),
        "encounter": encounter,
    }
    recorded = date_time(dg1, 5, work.source)
    recorder = staff_reference(dg1.element(16), work.source)
    about |= {"recordedDate": recorded} if recorded else {}
    about |= {"recorder": recorder} if recorder else {}
    parts = [Part("about", about), _condition_status(dg1)]
    return contribute("Condition", work.ids("Condition", system, key), parts, work.happened)


def _condition_status(dg1: Segment) -> Part:
    if dg1.text(21) == "D":
        return Part("status", _verified("entered-in-error"), rank=4)
    verified, rank, _ = tables.DIAGNOSIS_TYPES.get(dg1.text(6), tables.DIAGNOSIS_UNSAID)
    clinical = {"coding": [coding(_CONDITION + "clinical", "active")]}
    return Part("status", _verified(verified) | {"clinicalStatus": clinical}, rank)


def _verified(code: str) -> dict[str, Any]:
    return {"verificationStatus": {"coding": [coding(_CONDITION + "ver-status", code)]}}


def _allergy(al1: Segment, patient_key: tuple[str, str], work: Work) -> Contribution:
    system, number = patient_key
    key = f"{number}|{al1.text(3) or al1.text(3, 2)}"
    about: dict[str, Any] = {
        "code": concept(al1.element(3), "AL1-3", work.source),
        "patient": reference("Patient", work.ids("Patient", system, number)),
        "clinicalStatus": {"coding": [coding(_ALLERGY + "clinical", "active")]},
    }
    category = tables.ALLERGY_CATEGORIES.get(al1.text(2))
    criticality = tables.CRITICALITIES.get(al1.text(4))
    severity = tables.SEVERITIES.get(al1.text(4))
    seen = [{"text": shown} for one in al1.elements(5) if (shown := one.text(2) or one.text(1))]
    onset = date_time(al1, 6, work.source)
    about |= {"category": [category]} if category else {}
    about |= {"criticality": criticality} if criticality else {}
    about |= {"onsetDateTime": onset} if onset else {}
    if seen:
        about["reaction"] = [{"manifestation": seen} | ({"severity": severity} if severity else {})]
    id = work.ids("AllergyIntolerance", system, key)
    return contribute("AllergyIntolerance", id, [Part("about", about)], work.happened)
