"""The health examination (体检) of an adult: order, findings, blood, report with a conclusion.

What it finds sends the person on: a raised pressure is measured again on other days, a raised
glucose or cholesterol is confirmed by a physician.
"""

from datetime import date, timedelta
from decimal import Decimal

from fhir_server.demo.chart import Plan, Visit, open_visit
from fhir_server.demo.course import (
    Course,
    measure_blood,
    measure_build,
    measure_pressure,
    measure_pulse,
)
from fhir_server.demo.diseases import GP
from fhir_server.demo.results import (
    blood_pressure,
    exam_report,
    finding,
    laboratory,
    order,
    vital_signs,
)
from fhir_server.demo.shapes import coding, concept, decimal, reference
from fhir_server.demo.systems import EXAM, SECTION

_OLD = 65


def checkup(course: Course, day: date) -> None:
    """Writes one examination and plans what follows; those under care need none."""
    if course.conditions:
        return
    visit = open_visit(course.chart, Plan(_desk(course, day), day, "health-exam", minute=480))
    package = concept("成人健康体检套餐", coding(EXAM, "adult-package"))
    here = reference(visit.place.reference, visit.place.name)
    asked = order(visit, package, concept("健康体检", coding(SECTION, "OTH")), here, None)
    systolic, diastolic = measure_pressure(course, day)
    build = measure_build(course)
    blood = measure_blood(course, day)
    results = [
        *vital_signs(visit, build | measure_pulse(course)),
        blood_pressure(visit, systolic, diastolic),
        finding(visit, "waist", _waist(course, build["bmi"])),
    ]
    laboratory(visit, "exam", blood)
    words = conclusion(systolic, diastolic, build["bmi"], blood)
    exam_report(visit, package, asked, results, words)
    _follow(course, visit, is_raised(systolic, diastolic), blood)
    course.plan_in(day, 360, 520, "checkup")


def _desk(course: Course, day: date) -> str:
    if course.person.age(day) >= _OLD and course.person.home in GP:
        return GP[course.person.home]
    return "role-hm-physician"


def _waist(course: Course, bmi: Decimal) -> Decimal:
    base = 18.0 if course.person.male else 14.0
    return decimal(base + 2.8 * float(bmi) + course.rng.gauss(0, 2), 0)


def is_raised(systolic: Decimal, diastolic: Decimal) -> bool:
    """Returns whether a pressure is 140/90 mmHg or more (national norm, 3rd ed. 2017)."""
    return systolic >= 140 or diastolic >= 90


def conclusion(
    systolic: Decimal, diastolic: Decimal, bmi: Decimal, blood: dict[str, Decimal]
) -> str:
    """Returns the examination's conclusion: what is unusual, in the reader's words."""
    unusual = {
        "血压偏高": is_raised(systolic, diastolic),
        "空腹血糖达到糖尿病诊断界值": blood["glucose"] >= 7,
        "空腹血糖偏高": Decimal("6.1") <= blood["glucose"] < 7,
        "总胆固醇偏高": blood["cholesterol"] > Decimal("5.2"),
        "甘油三酯偏高": blood["triglyceride"] > Decimal("1.7"),
        "肥胖": bmi >= 28,
        "超重": 24 <= bmi < 28,
    }
    found = [words for words, is_so in unusual.items() if is_so]
    return "；".join(found) + "。建议复查并就诊。" if found else "本次体检未见明显异常。"


def _follow(course: Course, visit: Visit, raised: bool, blood: dict[str, Decimal]) -> None:
    """Plans the confirmation of what was found and is not known yet."""
    new = [code for code in course.person.profile.diseases if code not in course.conditions]
    if "I10" in new and raised:
        course.raised = 1
        course.plan_in(visit.day, 3, 9, "confirm-pressure")
    if "E11.9" in new and blood["glucose"] >= 7:
        course.plan_in(visit.day, 4, 10, "confirm-sugar")
    if "E78.5" in new and blood["cholesterol"] > Decimal("5.2"):
        course.plan_in(visit.day, 7, 21, "confirm-lipids")
    later = visit.day + timedelta(days=course.rng.randint(30, 200))
    for code, event in (("E03.9", "find-thyroid"), ("J44.9", "find-lung"), ("I25.1", "stent")):
        if code in new:
            course.plan(later, event)
