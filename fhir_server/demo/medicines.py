"""Prescriptions, what the patient says is taken, and allergies.

https://hl7.org/fhir/R4/medicationrequest.html
"""

from datetime import date
from decimal import Decimal

from fhir_server.demo.body import Therapy
from fhir_server.demo.chart import Visit
from fhir_server.demo.course import Course
from fhir_server.demo.drugs import DRUGS, LADDERS, Drug
from fhir_server.demo.shapes import Json, coding, concept, quantity, reference
from fhir_server.demo.systems import ALLERGY_CLINICAL, ALLERGY_STATUS, ATC

_SETTLED = 60  # days for which a new prescription needs no renewal
_ALLERGIES = (
    ("J01C", "青霉素类药物", "medication", "皮疹"),
    ("J01C", "青霉素类药物", "medication", "皮肤瘙痒"),
    ("", "海鲜", "food", "荨麻疹"),
    ("", "花粉", "environment", "流涕、喷嚏"),
)


def prescribe(visit: Visit, key: str, reason: str, days: int) -> None:
    """Writes a MedicationRequest for an illness that passes: `days` days, over by now."""
    visit.add(_request(visit, key, reason, "completed") | {"dispenseRequest": _supply(days)})


def prescribe_on(course: Course, visit: Visit, key: str, code: str) -> None:
    """Writes the active MedicationRequest of a long-term disease; it completes the one before."""
    if key in course.orders:
        course.orders[key]["status"] = "completed"
    request = _request(visit, key, course.conditions[code], "active")
    request["dispenseRequest"] = {"numberOfRepeatsAllowed": 4, **_supply(90)}
    visit.add(request)
    course.orders[key] = course.chart.made[-1].resource


def _supply(days: int) -> Json:
    return {"expectedSupplyDuration": quantity(Decimal(days), "天", "d")}


def _request(visit: Visit, key: str, reason: str, status: str) -> Json:
    drug = DRUGS[key]
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": _medicine(drug),
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "authoredOn": visit.at(20),
        "requester": reference(visit.staff.role, visit.staff.name.text),
        "reasonReference": [reference(reason)],
        "dosageInstruction": [_dosage(drug)],
    }


def step_up(course: Course, visit: Visit, code: str) -> bool:
    """Adds the next medicine of the disease's ladder; returns whether there was one."""
    taken = {therapy.drug for therapy in course.therapies}
    for key in LADDERS[code]:
        if key not in taken:
            course.therapies.append(Therapy(key, visit.day))
            course.changed[code] = visit.day
            prescribe_on(course, visit, key, code)
            return True
    return False


def renew(course: Course, visit: Visit, codes: tuple[str, ...]) -> None:
    """Prescribes again what has been taken for `codes` for some time."""
    since = {therapy.drug: therapy.since for therapy in course.therapies}
    for code in codes:
        for key in LADDERS[code]:
            if (visit.day - since.get(key, visit.day)).days > _SETTLED:
                prescribe_on(course, visit, key, code)


def statement(course: Course, owner: str, therapy: Therapy, day: date) -> str:
    """Writes what the patient says is taken regularly."""
    drug = DRUGS[therapy.drug]
    return course.chart.add(
        owner,
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": _medicine(drug),
            "subject": course.chart.subject,
            "effectivePeriod": {"start": therapy.since.isoformat()},
            "dateAsserted": day.isoformat(),
            "informationSource": course.chart.subject,
            "dosage": [_dosage(drug)],
        },
    )


def allergy(course: Course, owner: str, day: date) -> None:
    """Writes an allergy, and keeps what must therefore not be prescribed."""
    group, text, category, reaction = course.rng.choice(_ALLERGIES)
    course.allergy = group or None
    code = concept(text, coding(ATC, group)) if group else concept(text)
    course.chart.add(
        owner,
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": concept(None, coding(ALLERGY_CLINICAL, "active")),
            "verificationStatus": concept(None, coding(ALLERGY_STATUS, "confirmed")),
            "type": "allergy",
            "category": [category],
            "criticality": "high" if group else "low",
            "code": code,
            "patient": course.chart.subject,
            "recordedDate": day.isoformat(),
            "reaction": [{"manifestation": [concept(reaction)], "severity": "moderate"}],
        },
    )


def _medicine(drug: Drug) -> Json:
    return concept(drug.chinese, coding(ATC, drug.atc, drug.english))


def _dosage(drug: Drug) -> Json:
    return {
        "text": drug.text,
        "timing": {"repeat": {"frequency": drug.daily, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": quantity(Decimal(drug.dose), drug.unit, drug.unit)}],
    }
