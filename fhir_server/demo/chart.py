"""The record of one patient while it is written, and the encounters that its entries belong to.

https://hl7.org/fhir/R4/encounter.html
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_server.demo.cast import PLACE, STAFF_BY_ROLE, Place, Staff
from fhir_server.demo.person import Person
from fhir_server.demo.shapes import Json, Made, coding, concept, moment, reference
from fhir_server.demo.systems import ACT_CODE, DIAGNOSIS_ROLE, DISCHARGE, VISIT_TYPE, numbers


class Chart:
    """Takes resources in order and gives each an id: `patient-0001-observation-007`."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.made: list[Made] = []
        self._counts: Counter[str] = Counter()

    @property
    def subject(self) -> Json:
        """The Reference that every entry carries."""
        return reference(f"Patient/{self.person.id}", self.person.name.text)

    def number(self, kind: str) -> str:
        """Returns the next number of `kind` (visit, order, report): `V000010007`."""
        self._counts[kind] += 1
        return f"{kind[0].upper()}{self.person.index:05d}{self._counts[kind]:04d}"

    def add(self, owner: str, resource: Json) -> str:
        """Appends `resource` as written by `owner`; returns `Type/id`."""
        kind = resource["resourceType"]
        self._counts[kind] += 1
        name = f"{self.person.id}-{kind.lower()}-{self._counts[kind]:03d}"
        self.made.append(Made(owner, {"resourceType": kind, "id": name, **resource}))
        return f"{kind}/{name}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of encounter: ActCode class, text, minutes (of a stay: on its last day)."""

    act: str
    text: str
    minutes: int


KINDS = {
    "outpatient": Kind("AMB", "门诊", 60),
    "follow-up": Kind("AMB", "慢性病随访", 60),
    "health-exam": Kind("AMB", "健康体检", 150),
    "vaccination": Kind("AMB", "预防接种", 40),
    "child-health": Kind("AMB", "儿童健康体检", 40),
    "emergency": Kind("EMER", "急诊", 180),
    "inpatient": Kind("IMP", "住院", 300),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter that is in the chart: who sees the patient, and when it begins."""

    chart: Chart
    staff: Staff
    day: date
    minute: int
    reference: str

    @property
    def place(self) -> Place:
        """Where it is."""
        return PLACE[self.staff.place]

    @property
    def owner(self) -> str:
        """The organization that writes its entries."""
        return self.place.owner

    def at(self, minutes: int) -> str:
        """Returns the dateTime `minutes` after the beginning."""
        return moment(self.day, self.minute + minutes)

    def add(self, resource: Json) -> str:
        """Appends an entry of the visit's patient to the chart, as the visit's owner."""
        return self.chart.add(self.owner, resource)

    @property
    def encounter(self) -> Json:
        """The Reference of the visit's entries to it."""
        return reference(self.reference)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is arranged for an encounter: with whom, when, of what kind, for how many days."""

    role_id: str
    day: date
    kind: str
    minute: int = 540
    reason: str = ""
    days: int = 0


def open_visit(chart: Chart, plan: Plan, conditions: tuple[str, ...] = ()) -> Visit:
    """Writes a finished Encounter; `conditions` are what it treats, the principal one first."""
    staff = STAFF_BY_ROLE[plan.role_id]
    place = PLACE[staff.place]
    known = KINDS[plan.kind]
    end = moment(plan.day + timedelta(days=plan.days), plan.minute + known.minutes)
    resource: Json = {
        "resourceType": "Encounter",
        "identifier": [{"system": numbers(place.owner, "visit"), "value": chart.number("visit")}],
        "status": "finished",
        "class": coding(ACT_CODE, known.act),
        "type": [concept(known.text, coding(VISIT_TYPE, plan.kind))],
        "subject": chart.subject,
        "participant": [{"individual": reference(staff.role, staff.name.text)}],
        "period": {"start": moment(plan.day, plan.minute), "end": end},
    }
    if plan.reason:
        resource["reasonCode"] = [concept(plan.reason)]
    if conditions:
        resource["diagnosis"] = _diagnoses(conditions, known.act)
    if known.act == "IMP":
        home = concept("医嘱离院", coding(DISCHARGE, "home"))
        resource["hospitalization"] = {"dischargeDisposition": home}
    resource["location"] = [{"location": reference(place.room, place.name)}]
    resource["serviceProvider"] = reference(place.reference, place.name)
    return Visit(chart, staff, plan.day, plan.minute, chart.add(place.owner, resource))


def _diagnoses(conditions: tuple[str, ...], act: str) -> list[Json]:
    use = concept("出院诊断", coding(DIAGNOSIS_ROLE, "DD")) if act == "IMP" else concept("门诊诊断")
    return [
        {"condition": reference(condition), "use": use, "rank": rank}
        for rank, condition in enumerate(conditions, 1)
    ]
