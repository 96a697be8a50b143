"""The course of one life: what is known, what is taken, what comes next; and what is measured.

A measurement is the model's expectation plus the noise of an honest instrument.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from random import Random

from fhir_server.demo import body as model
from fhir_server.demo.body import Body, Therapy
from fhir_server.demo.chart import Chart
from fhir_server.demo.person import Person
from fhir_server.demo.shapes import Json, decimal


@dataclass(slots=True)
class Course:
    """A life while it is lived: `agenda` holds (day, number, event) before `today`."""

    person: Person
    body: Body
    rng: Random
    today: date
    chart: Chart
    conditions: dict[str, str] = field(default_factory=dict)  # ICD-10 → Condition/id
    therapies: list[Therapy] = field(default_factory=list)
    changed: dict[str, date] = field(default_factory=dict)  # ICD-10 → last change of therapy
    allergy: str | None = None  # ATC group that must not be given
    raised: int = 0  # raised pressures on different days, in a row
    last_year_check: date | None = None
    care_team: str | None = None
    orders: dict[str, Json] = field(default_factory=dict)  # drug → its active MedicationRequest
    free_from: date = date.min  # the day after the last event, or after the last stay
    agenda: list[tuple[date, int, str]] = field(default_factory=list)
    ahead: dict[str, date] = field(default_factory=dict)  # what is planned for today or later
    _planned: int = 0

    def plan(self, day: date, event: str) -> None:
        """Puts `event` on the agenda, or, where its day has not come, among what lies ahead."""
        if day >= self.today:
            self.ahead[event] = day
            return
        self._planned += 1
        heappush(self.agenda, (day, self._planned, event))

    def plan_in(self, day: date, least: int, most: int, event: str) -> None:
        """Plans `event` for a working day between `least` and `most` days after `day`."""
        found = day + timedelta(days=self.rng.randint(least, most))
        while found.weekday() > 4:
            found += timedelta(days=1)
        self.plan(found, event)

    def next_event(self) -> tuple[date, str] | None:
        """Takes the earliest event off the agenda; one that finds the day taken is put off."""
        while self.agenda:
            day, _, event = heappop(self.agenda)
            if day >= self.free_from:
                self.free_from = day + timedelta(days=1)
                return day, event
            self.plan_in(self.free_from, 0, 2, event)
        return None

    def known(self, *codes: str) -> tuple[str, ...]:
        """Returns the Conditions that are known of `codes`."""
        return tuple(self.conditions[code] for code in codes if code in self.conditions)


def measure_pressure(course: Course, day: date) -> tuple[Decimal, Decimal]:
    """Measures systolic and diastolic pressure, mmHg, whole numbers."""
    systolic, diastolic = model.pressure(course.body, course.therapies, day)
    noise = course.rng.gauss(0, 4.5)
    measured = systolic + noise
    lower = min(diastolic + 0.4 * noise + course.rng.gauss(0, 2), measured - 25)
    return decimal(measured, 0), decimal(lower, 0)


def measure_pulse(course: Course) -> dict[str, Decimal]:
    """Measures the heart rate, /min."""
    return {"pulse": decimal(course.body.pulse + course.rng.gauss(0, 3), 0)}


def measure_build(course: Course) -> dict[str, Decimal]:
    """Measures height, weight and the index computed from the two as they are written down."""
    height = decimal(course.body.height, 1)
    weight = decimal(course.body.weight + course.rng.gauss(0, 0.8), 1)
    return {"height": height, "weight": weight, "bmi": mass_index(height, weight)}


def mass_index(height: Decimal, weight: Decimal) -> Decimal:
    """Returns weight / height² with one decimal; cm, kg."""
    return decimal(float(weight) / (float(height) / 100) ** 2, 1)


def measure_blood(course: Course, day: date) -> dict[str, Decimal]:
    """Measures everything that a panel may ask for, from one sample of blood."""
    body, gauss = course.body, course.rng.gauss
    total, ldl = model.lipids(body, course.therapies, day)
    drift = gauss(0, 0.08)
    return {
        "glucose": decimal(model.fasting_glucose(body, course.therapies, day) + gauss(0, 0.25), 2),
        "a1c": decimal(model.a1c(body, course.therapies, day) + gauss(0, 0.08), 1),
        "cholesterol": decimal(total + drift, 2),
        "triglyceride": decimal(body.triglyceride * (1 + gauss(0, 0.06)), 2),
        "hdl": decimal(body.hdl + gauss(0, 0.03), 2),
        "ldl": decimal(max(ldl + drift, 0.8), 2),
        "creatinine": decimal(body.creatinine + gauss(0, 2), 0),
        "potassium": decimal(4.2 + gauss(0, 0.25), 2),
        "leukocytes": decimal(max(6.2 + gauss(0, 1.0), 3.2), 2),
        "haemoglobin": decimal(body.haemoglobin + gauss(0, 2), 0),
        "platelets": decimal(225 + gauss(0, 28), 0),
    }
