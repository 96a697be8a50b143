"""Finding and following long-term diseases, by the national norm for basic public health.

国家基本公共卫生服务规范 (3rd ed., 2017): a pressure raised on three different days is hypertension;
four visits a year; where a visit is unsatisfactory the therapy is stepped up and the patient is
seen again in two weeks.
"""

from datetime import date
from decimal import Decimal

from fhir_server.demo.chart import Plan, Visit, open_visit
from fhir_server.demo.checkup import is_raised
from fhir_server.demo.course import (
    Course,
    measure_blood,
    measure_build,
    measure_pressure,
    measure_pulse,
)
from fhir_server.demo.diseases import desk_for, enrol
from fhir_server.demo.medicines import renew, step_up
from fhir_server.demo.results import blood_pressure, finger_prick, laboratory, vital_signs

_SETTLE = {"I10": 21, "E11.9": 56, "E78.5": 90}  # days until a step's effect can be judged
_DAYS_RAISED, _YEAR = 3, 350


def confirm_pressure(course: Course, day: date) -> None:
    """Measures a raised pressure again; on the third raised day in a row hypertension is found."""
    visit = _visit(course, "I10", (day, "outpatient", "血压升高复测"))
    measured = measure_pressure(course, day)
    blood_pressure(visit, *measured)
    course.raised = course.raised + 1 if is_raised(*measured) else 0
    if course.raised == _DAYS_RAISED:
        _find(course, visit, "I10")
    elif course.raised:
        course.plan_in(day, 3, 9, "confirm-pressure")


def confirm_sugar(course: Course, day: date) -> None:
    """Measures a raised glucose on another day, with HbA1c."""
    visit = _visit(course, "E11.9", (day, "outpatient", "空腹血糖升高复查"))
    blood = measure_blood(course, day)
    laboratory(visit, "diabetes", blood)
    if blood["glucose"] >= 7:
        _find(course, visit, "E11.9")


def confirm_lipids(course: Course, day: date) -> None:
    """Finds high cholesterol after two samples."""
    visit = _visit(course, "E78.5", (day, "outpatient", "血脂升高复查"))
    laboratory(visit, "chronic", measure_blood(course, day))
    _find(course, visit, "E78.5")


def find_thyroid(course: Course, day: date) -> None:
    """Finds hypothyroidism."""
    _find(course, _visit(course, "E03.9", (day, "outpatient", "乏力、怕冷")), "E03.9")


def find_lung(course: Course, day: date) -> None:
    """Finds chronic obstructive lung disease."""
    visit = _visit(course, "J44.9", (day, "outpatient", "反复咳嗽、活动后气促"))
    vital_signs(visit, {"breaths": Decimal(20), "oxygen": Decimal(95)})
    _find(course, visit, "J44.9")


def _find(course: Course, visit: Visit, code: str) -> None:
    is_first = not course.conditions
    enrol(course, visit, code)
    step_up(course, visit, code)
    if is_first:
        course.plan_in(visit.day, 13, 15, "follow-up")


def follow_up(course: Course, day: date) -> None:
    """Sees the patient, judges each disease, steps up or renews, and plans the next visit."""
    codes = tuple(code for code in course.person.profile.diseases if code in course.conditions)
    visit = _visit(course, codes[-1], (day, "follow-up", ""), course.known(*codes))
    measured = measure_pressure(course, day)
    blood_pressure(visit, *measured)
    blood = measure_blood(course, day)
    if _is_year_over(course, day):
        _check_year(course, visit, codes, blood)
    elif "E11.9" in codes:
        finger_prick(visit, round(blood["glucose"], 1))
    missed = _missed(course, day, measured, blood)
    changed = [step_up(course, visit, code) for code in missed if _may_step(course, code, day)]
    wait = (13, 15) if any(changed) else (26, 30) if missed else (84, 91)
    course.plan_in(day, *wait, "follow-up")


def _visit(
    course: Course, code: str, plan: tuple[date, str, str], conditions: tuple[str, ...] = ()
) -> Visit:
    day, kind, reason = plan
    minute = course.rng.randrange(480, 690, 5)
    desk = desk_for(course.person.home, code)
    return open_visit(course.chart, Plan(desk, day, kind, minute, reason), conditions)


def _is_year_over(course: Course, day: date) -> bool:
    last = course.last_year_check
    return last is None or (day - last).days >= _YEAR


def _check_year(
    course: Course, visit: Visit, codes: tuple[str, ...], blood: dict[str, Decimal]
) -> None:
    """Writes the yearly panel and build, and prescribes again what is taken."""
    course.last_year_check = visit.day
    vital_signs(visit, measure_build(course) | measure_pulse(course))
    laboratory(visit, "chronic", blood, course.conditions[codes[0]])
    renew(course, visit, codes)


def _missed(
    course: Course, day: date, measured: tuple[Decimal, Decimal], blood: dict[str, Decimal]
) -> list[str]:
    """Returns the known diseases that missed their target today."""
    systolic, diastolic = measured
    limit = 150 if course.person.age(day) >= 65 else 140
    missed = {
        "I10": systolic >= limit or diastolic >= 90,
        "E11.9": blood["glucose"] >= 7,
    }
    return [code for code, is_so in missed.items() if is_so and code in course.conditions]


def _may_step(course: Course, code: str, day: date) -> bool:
    since = course.changed.get(code)
    return since is None or (day - since).days >= _SETTLE[code]
