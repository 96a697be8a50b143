"""A child's record: growth, vaccinations by age, the illnesses of the season.

Medians of height and weight follow the WHO standards roughly; a child keeps its own distance.
"""

from datetime import date, timedelta
from decimal import Decimal

from fhir_server.demo.acute import immunization
from fhir_server.demo.chart import Plan, open_visit
from fhir_server.demo.course import Course
from fhir_server.demo.diseases import GP, condition
from fhir_server.demo.medicines import prescribe
from fhir_server.demo.results import vital_signs
from fhir_server.demo.shapes import decimal

_YEARS = (0.1, 0.5, 1, 2, 3, 4, 6, 8, 10, 13)
_HEIGHT = (54.0, 67.0, 75.5, 87.5, 96.0, 103.0, 116.0, 127.5, 138.0, 157.0)
_WEIGHT = (4.3, 7.8, 9.5, 12.0, 14.2, 16.3, 20.5, 25.5, 32.0, 45.0)

# Months of age → CVX, name: a part of the national immunization programme.
VACCINES = (
    (1, "08", "乙型肝炎疫苗"),
    (2, "10", "脊髓灰质炎灭活疫苗"),
    (8, "03", "麻腮风联合减毒活疫苗"),
    (18, "03", "麻腮风联合减毒活疫苗"),
    (24, "85", "甲型肝炎疫苗"),
    (48, "02", "脊髓灰质炎疫苗"),
    (72, "28", "白喉破伤风联合疫苗"),
)


def growth_at(table: tuple[float, ...], age: float) -> float:
    """Returns the median of `table` at `age` years, linear between its points."""
    for left in range(len(_YEARS) - 1):
        if age <= _YEARS[left + 1]:
            span = (max(age, _YEARS[0]) - _YEARS[left]) / (_YEARS[left + 1] - _YEARS[left])
            return table[left] + span * (table[left + 1] - table[left])
    return table[-1]


def child_health(course: Course, day: date) -> None:
    """Measures height and weight, and plans the next time: half-yearly, later yearly."""
    age = (day - course.person.birth).days / 365.25
    visit = open_visit(course.chart, Plan(_desk(course), day, "child-health", 870))
    own = (course.body.height - 163) / 163 * 0.6
    height = growth_at(_HEIGHT, age) * (1 + own)
    weight = growth_at(_WEIGHT, age) * (1 + 1.6 * own) * (1 + course.rng.gauss(0, 0.02))
    pulse = decimal(118 - 3.2 * age + course.rng.gauss(0, 4), 0)
    vital_signs(visit, {"height": decimal(height, 1), "weight": decimal(weight, 1), "pulse": pulse})
    course.plan_in(day, *((170, 190) if age < 6 else (350, 380)), "child-health")


def child_illness(course: Course, day: date) -> None:
    """Writes a cold with fever."""
    over = day + timedelta(days=6)
    if over < course.today:
        owner = course.person.home
        found = condition(course.chart, owner, "J06.9", day, over)
        visit = open_visit(course.chart, Plan(_desk(course), day, "outpatient", 900), (found,))
        heat = decimal(38.4 + course.rng.gauss(0, 0.3), 1)
        vital_signs(visit, {"temperature": heat, "breaths": Decimal(26)})
        prescribe(visit, "paracetamol", found, 3)
    course.plan_in(day, 60, 200, "child-illness")


def vaccinate(course: Course, day: date) -> None:
    """Writes the vaccination that is due at the child's age on `day`."""
    months = (day - course.person.birth).days // 30
    due = [entry for entry in VACCINES if entry[0] <= months][-1]
    visit = open_visit(course.chart, Plan(_desk(course), day, "vaccination"))
    visit.add(immunization(visit, due[1], due[2]))


def _desk(course: Course) -> str:
    return GP.get(course.person.home, "role-hm-physician")
