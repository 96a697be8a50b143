"""The demo city: a deterministic stream of R4 resources, each with the organization it is of.

Nothing here knows the clock: a patient depends on the seed, its own number and the day handed in,
so that patient 7 of a city of a hundred is patient 7 of a city of a million.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from random import Random

from fhir_server.demo import acute, checkup, childhood, chronic
from fhir_server.demo.body import draw_body
from fhir_server.demo.chart import Chart
from fhir_server.demo.closing import close
from fhir_server.demo.course import Course
from fhir_server.demo.directory import directory
from fhir_server.demo.medicines import allergy
from fhir_server.demo.person import Person, draw_person, patient
from fhir_server.demo.shapes import Made

SEED = 20260101
TODAY = date(2026, 6, 30)
_EARLIEST = date(2026, 1, 1)  # children of the city are born before it
_GROWN = 16

EVENTS: Mapping[str, Callable[[Course, date], None]] = {
    "checkup": checkup.checkup,
    "confirm-pressure": chronic.confirm_pressure,
    "confirm-sugar": chronic.confirm_sugar,
    "confirm-lipids": chronic.confirm_lipids,
    "find-thyroid": chronic.find_thyroid,
    "find-lung": chronic.find_lung,
    "follow-up": chronic.follow_up,
    "illness": acute.illness,
    "pneumonia": acute.pneumonia,
    "appendix": acute.appendix,
    "stent": acute.stent,
    "influenza": acute.influenza,
    "child-health": childhood.child_health,
    "child-illness": childhood.child_illness,
    "vaccinate": childhood.vaccinate,
}


def build(patients: int = 100, seed: int = SEED, today: date = TODAY) -> Iterator[Made]:
    """Yields the city's resources, each after everything that it refers to.

    Events lie before `today`; only booked appointments and due dates lie after it. Raises
    ValueError where `today` is before 2026 (the city's youngest are born by then).
    """
    if today < _EARLIEST:
        raise ValueError(f"the city begins on {_EARLIEST}: {today} is too early")
    yield from directory()
    for index in range(1, patients + 1):
        yield from _life(index, seed, today)


def _life(index: int, seed: int, today: date) -> list[Made]:
    rng = Random(f"{seed}:{index}")
    person = draw_person(index, rng)
    chart = Chart(person)
    chart.made.append(Made(person.home, patient(person, rng)))
    course = Course(person, draw_body(person, rng), rng, today, chart)
    begin = max(today - timedelta(days=rng.randint(1100, 1500)), person.birth)
    if person.age(today) < _GROWN:
        _plan_childhood(course, begin)
    else:
        _plan_adult(course, begin)
    while (event := course.next_event()) is not None:
        day, name = event
        EVENTS[name](course, day)
    close(course)
    return chart.made


def _plan_childhood(course: Course, begin: date) -> None:
    course.plan_in(begin, 30, 60, "child-health")
    course.plan_in(begin, 60, 150, "child-illness")
    for months, _, _ in childhood.VACCINES:
        due = course.person.birth + timedelta(days=30 * months + course.rng.randrange(0, 20))
        if due > begin:
            course.plan_in(due, 0, 3, "vaccinate")


def _plan_adult(course: Course, begin: date) -> None:
    rng, span = course.rng, (course.today - begin).days
    if rng.random() < 0.18:
        allergy(course, course.person.home, begin)
    course.plan_in(begin, 5, 120, "checkup")
    for _ in range(rng.randint(1, 3)):
        course.plan_in(begin, 10, span, "illness")
    if rng.random() < 0.5 and course.person.age(begin) >= 60:
        course.plan_in(begin, 60, 360, "influenza")
    if rng.random() < 0.12:
        old = course.person.age(begin) > 50
        course.plan_in(begin, 30, span, "pneumonia" if old else "appendix")


def people(patients: int, seed: int = SEED) -> Iterator[Person]:
    """Yields who the patients are, without their records."""
    for index in range(1, patients + 1):
        yield draw_person(index, Random(f"{seed}:{index}"))
