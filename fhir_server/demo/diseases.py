"""Conditions of the demo city and what follows from a long-term one: plan, goal, team, episode.

https://hl7.org/fhir/R4/condition.html; codes are categories of WHO's ICD-10, words are our own.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from fhir_server.demo.cast import PLACE, STAFF_BY_ROLE
from fhir_server.demo.chart import Chart, Visit
from fhir_server.demo.course import Course
from fhir_server.demo.measures import MEASURES
from fhir_server.demo.shapes import Json, coding, concept, decimal, quantity, reference
from fhir_server.demo.systems import (
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_STATUS,
    EPISODE_TYPE,
    GOAL_ACHIEVEMENT,
    ICD10,
    LOINC,
)


@dataclass(frozen=True, slots=True)
class Disease:
    """A diagnosis: name, who treats it in the hospital, and what its care aims at (below)."""

    chinese: str
    desk: str
    goal: str = ""
    measure: str = ""
    target: float = 0.0


# Targets: national norm for basic public health services, 3rd ed. 2017 (see docs/demo-city.md).
DISEASES = {
    "I10": Disease("原发性高血压", "role-cardiologist", "血压低于140/90mmHg", "systolic", 140),
    "E11.9": Disease("2型糖尿病", "role-endocrinologist", "空腹血糖低于7.0mmol/L", "glucose", 7.0),
    "E78.5": Disease(
        "高脂血症", "role-cardiologist", "低密度脂蛋白胆固醇低于3.4mmol/L", "ldl", 3.4
    ),
    "I25.1": Disease("冠状动脉粥样硬化性心脏病", "role-cardiologist"),
    "E03.9": Disease("甲状腺功能减退症", "role-endocrinologist"),
    "J44.9": Disease("慢性阻塞性肺疾病", "role-emergency"),
    "J06.9": Disease("急性上呼吸道感染", "role-emergency"),
    "K29.7": Disease("胃炎", "role-emergency"),
    "M54.5": Disease("下腰痛", "role-emergency"),
    "L30.9": Disease("皮炎", "role-emergency"),
    "J18.9": Disease("肺炎", "role-emergency"),
    "K35.8": Disease("急性阑尾炎", "role-emergency"),
}
GP = {"clinic-east": "role-east-gp", "clinic-west": "role-west-gp"}
NURSE = {
    "hospital": "role-ward-nurse",
    "clinic-east": "role-east-nurse",
    "clinic-west": "role-west-nurse",
}


def desk_for(home: str, code: str) -> str:
    """Returns the PractitionerRole that treats `code`: the family doctor or the department."""
    return GP.get(home, DISEASES[code].desk)


def condition(
    chart: Chart, owner: str, code: str, day: date, over: date | None = None,
    encounter: str | None = None,
) -> str:  # fmt: skip
    """Writes a confirmed Condition: resolved at `over`, or an active long-term problem."""
    category = "problem-list-item" if over is None else "encounter-diagnosis"
    status = "active" if over is None else "resolved"
    disease = DISEASES[code]
    resource: Json = {
        "resourceType": "Condition",
        "clinicalStatus": concept(None, coding(CONDITION_CLINICAL, status)),
        "verificationStatus": concept(None, coding(CONDITION_STATUS, "confirmed")),
        "category": [concept(None, coding(CONDITION_CATEGORY, category))],
        "code": concept(disease.chinese, coding(ICD10, code)),
        "subject": chart.subject,
    }
    if encounter is not None:
        resource["encounter"] = reference(encounter)
    resource["onsetDateTime"] = day.isoformat()
    if over is not None:
        resource["abatementDateTime"] = over.isoformat()
    resource["recordedDate"] = day.isoformat()
    return chart.add(owner, resource)


def enrol(course: Course, visit: Visit, code: str) -> None:
    """Records a long-term disease and opens its care: EpisodeOfCare, CareTeam, Goal, CarePlan."""
    found = condition(course.chart, visit.owner, code, visit.day, encounter=visit.reference)
    course.conditions[code] = found
    if course.care_team is None:
        course.care_team = visit.add(_team(course, visit))
    if DISEASES[code].goal:
        visit.add(_episode(visit, code, found))
        goal = visit.add(_goal(visit, code, found))
        visit.add(_plan(course, visit, code, found, goal))


def _team(course: Course, visit: Visit) -> Json:
    home = course.person.home
    nurse = STAFF_BY_ROLE[NURSE[home]]
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "name": f"{course.person.name.text}慢性病管理组",
        "subject": course.chart.subject,
        "encounter": visit.encounter,
        "period": {"start": visit.day.isoformat()},
        "participant": [
            {"role": [concept("责任医师")], "member": _member(visit.staff.role_id)},
            {"role": [concept("责任护士")], "member": _member(nurse.role_id)},
        ],
        "managingOrganization": [reference(f"Organization/{home}", PLACE[home].name)],
    }


def _member(role_id: str) -> Json:
    staff = STAFF_BY_ROLE[role_id]
    return reference(staff.role, staff.name.text)


def _episode(visit: Visit, code: str, found: str) -> Json:
    return {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "type": [concept("慢性病管理", coding(EPISODE_TYPE, "chronic-care"))],
        "diagnosis": [{"condition": reference(found, DISEASES[code].chinese), "rank": 1}],
        "patient": visit.chart.subject,
        "managingOrganization": reference(f"Organization/{visit.owner}"),
        "period": {"start": visit.day.isoformat()},
        "careManager": _member(visit.staff.role_id),
    }


def _goal(visit: Visit, code: str, found: str) -> Json:
    disease = DISEASES[code]
    measure = MEASURES[disease.measure]
    value = quantity(decimal(disease.target, measure.digits), measure.unit, measure.ucum)
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "achievementStatus": concept("进行中", coding(GOAL_ACHIEVEMENT, "in-progress")),
        "description": concept(disease.goal),
        "subject": visit.chart.subject,
        "startDate": visit.day.isoformat(),
        "target": [
            {
                "measure": concept(measure.chinese, coding(LOINC, measure.code)),
                "detailQuantity": {**value, "comparator": "<"},
                "dueDate": (visit.day + timedelta(days=180)).isoformat(),
            }
        ],
        "expressedBy": reference(visit.staff.role),
        "addresses": [reference(found)],
    }


def _plan(course: Course, visit: Visit, code: str, found: str, goal: str) -> Json:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [concept("慢性病管理")],
        "title": f"{DISEASES[code].chinese}管理方案",
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "period": {"start": visit.day.isoformat()},
        "created": visit.day.isoformat(),
        "author": reference(visit.staff.role, visit.staff.name.text),
        "careTeam": [reference(course.care_team or "")],
        "addresses": [reference(found)],
        "goal": [reference(goal)],
        "activity": [
            {"detail": {"kind": "Appointment", "code": concept("面对面随访"),
                        "status": "in-progress", "description": "每年至少4次"}},
            {"detail": {"kind": "MedicationRequest", "code": concept("规律服药"),
                        "status": "in-progress"}},
            {"detail": {"code": concept("减盐、控制体重、规律运动"), "status": "in-progress"}},
        ],
    }  # fmt: skip
