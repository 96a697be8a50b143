"""Illnesses that pass, stays in the hospital, and injections against influenza.

https://hl7.org/fhir/R4/procedure.html
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from fhir_server.demo.chart import Plan, Visit, open_visit
from fhir_server.demo.course import Course, measure_blood, measure_pressure, measure_pulse
from fhir_server.demo.diseases import GP, condition, enrol
from fhir_server.demo.drugs import DRUGS
from fhir_server.demo.medicines import prescribe, step_up
from fhir_server.demo.results import blood_pressure, laboratory, vital_signs
from fhir_server.demo.shapes import Json, coding, concept, decimal, reference
from fhir_server.demo.systems import CVX, ICD9CM


@dataclass(frozen=True, slots=True)
class Illness:
    """An illness that passes: medicine, days, temperature, and whether a blood count is made."""

    code: str
    drug: str
    days: int
    temperature: float
    count: bool = False


ILLNESSES = (
    Illness("J06.9", "paracetamol", 5, 38.2, count=True),
    Illness("J06.9", "amoxicillin", 7, 38.6, count=True),
    Illness("K29.7", "omeprazole", 14, 36.6),
    Illness("M54.5", "ibuprofen", 7, 36.5),
    Illness("L30.9", "loratadine", 10, 36.5),
)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in the hospital: days, medicine taken there, procedure (ICD-9-CM, day of the stay)."""

    code: str
    days: int
    drug: str
    temperature: float
    procedures: tuple[tuple[str, str, int], ...] = ()


_STAYS = {
    "pneumonia": Stay("J18.9", 8, "cefuroxime", 38.9),
    "appendix": Stay("K35.8", 5, "cefuroxime", 38.1, (("47.01", "腹腔镜阑尾切除术", 0),)),
    "stent": Stay("I25.1", 6, "atorvastatin", 36.6,
                  (("88.56", "冠状动脉造影", 1), ("36.07", "药物洗脱支架置入术", 1))),
}  # fmt: skip


def illness(course: Course, day: date) -> None:
    """Writes one illness that is over within two weeks."""
    known = course.rng.choice(ILLNESSES)
    drug = "paracetamol" if is_forbidden(course, known.drug) else known.drug
    home = course.person.home
    over = day + timedelta(days=known.days)
    if over >= course.today:
        return
    owner = home if home in GP else "hospital"
    found = condition(course.chart, owner, known.code, day, over)
    desk, kind = (GP[home], "outpatient") if home in GP else ("role-emergency", "emergency")
    minute = course.rng.randrange(480, 900, 5)
    visit = open_visit(course.chart, Plan(desk, day, kind, minute), (found,))
    heat = {"temperature": decimal(known.temperature + course.rng.gauss(0, 0.2), 1)}
    vital_signs(visit, heat | measure_pulse(course))
    if known.count:
        laboratory(visit, "count", measure_blood(course, day), found)
    prescribe(visit, drug, found, known.days)


def is_forbidden(course: Course, drug: str) -> bool:
    """Returns whether the patient's allergy forbids `drug`."""
    return course.allergy is not None and DRUGS[drug].atc.startswith(course.allergy)


def pneumonia(course: Course, day: date) -> None:
    """Writes a stay for pneumonia."""
    _passing_stay(course, day, _STAYS["pneumonia"])


def appendix(course: Course, day: date) -> None:
    """Writes a stay for appendicitis, with its operation."""
    _passing_stay(course, day, _STAYS["appendix"])


def _passing_stay(course: Course, day: date, stay: Stay) -> None:
    over = day + timedelta(days=stay.days + 7)
    if over >= course.today:
        return
    found = condition(course.chart, "hospital", stay.code, day, over)
    visit = _stay(course, day, stay, (found, *course.conditions.values()), "role-emergency")
    prescribe(visit, stay.drug, found, stay.days + 3)


def stent(course: Course, day: date) -> None:
    """Writes the stay in which coronary disease is found and treated."""
    stay = _STAYS["stent"]
    if day + timedelta(days=stay.days) >= course.today:
        return
    visit = _stay(course, day, stay, course.known("I10"), "role-cardiologist")
    is_first = not course.conditions
    enrol(course, visit, "I25.1")
    while step_up(course, visit, "I25.1"):
        pass
    if is_first:
        course.plan_in(day, 20, 24, "follow-up")


def _stay(course: Course, day: date, stay: Stay, conditions: tuple[str, ...], desk: str) -> Visit:
    visit = open_visit(course.chart, Plan(desk, day, "inpatient", 600, days=stay.days), conditions)
    course.free_from = day + timedelta(days=stay.days + 1)
    laboratory(visit, "count", measure_blood(course, day))
    for after in range(0, stay.days, 2):
        heat = max(stay.temperature - 0.5 * after, 36.5) + course.rng.gauss(0, 0.1)
        minutes = 1440 * after + 120
        vital_signs(visit, {"temperature": decimal(heat, 1)} | measure_pulse(course), minutes)
        measured = measure_pressure(course, day + timedelta(days=after))
        blood_pressure(visit, *measured, minutes)
    for code, text, after in stay.procedures:
        visit.add(_procedure(visit, code, text, 1440 * after + 240))
    return visit


def _procedure(visit: Visit, code: str, text: str, minutes: int) -> Json:
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept(text, coding(ICD9CM, code)),
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "performedPeriod": {"start": visit.at(minutes), "end": visit.at(minutes + 75)},
        "performer": [{"actor": reference(visit.staff.role, visit.staff.name.text)}],
    }


def influenza(course: Course, day: date) -> None:
    """Writes the yearly injection against influenza and plans the next."""
    desk = GP.get(course.person.home, "role-hm-physician")
    visit = open_visit(course.chart, Plan(desk, day, "vaccination", 870))
    visit.add(immunization(visit, "141", "流感病毒裂解疫苗"))
    course.plan_in(day, 360, 370, "influenza")


def immunization(visit: Visit, code: str, text: str) -> Json:
    """Returns an Immunization of the visit; `code` is CVX."""
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(text, coding(CVX, code)),
        "patient": visit.chart.subject,
        "encounter": visit.encounter,
        "occurrenceDateTime": visit.at(10),
        "primarySource": True,
        "location": reference(visit.place.room),
        "doseQuantity": {"value": Decimal("0.5"), "unit": "mL",
                         "system": "http://unitsofmeasure.org", "code": "mL"},
        "performer": [{"actor": reference(visit.staff.role, visit.staff.name.text)}],
    }  # fmt: skip
