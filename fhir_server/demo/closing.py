"""What stands in a record today: medicines the patient says are taken, appointments.

https://hl7.org/fhir/R4/appointment.html
"""

from datetime import date, timedelta

from fhir_server.demo.cast import PLACE, STAFF_BY_ROLE
from fhir_server.demo.course import Course
from fhir_server.demo.diseases import DISEASES, desk_for
from fhir_server.demo.medicines import statement
from fhir_server.demo.shapes import Json, coding, concept, moment, reference
from fhir_server.demo.systems import APPOINTMENT_REASON


def close(course: Course) -> None:
    """Writes a MedicationStatement a medicine, and for those under care the next appointment."""
    if not course.conditions:
        return
    yesterday = course.today - timedelta(days=1)
    for therapy in course.therapies:
        statement(course, course.person.home, therapy, yesterday)
    if "follow-up" in course.ahead and course.person.index % 2:
        resource = _appointment(course, course.ahead["follow-up"], yesterday)
        course.chart.add(course.person.home, resource)


def _appointment(course: Course, day: date, created: date) -> Json:
    code = next(iter(course.conditions))
    staff = STAFF_BY_ROLE[desk_for(course.person.home, code)]
    place = PLACE[staff.place]
    people = (
        course.chart.subject,
        reference(staff.role, staff.name.text),
        reference(place.room, place.name),
    )
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "appointmentType": concept("复诊", coding(APPOINTMENT_REASON, "FOLLOWUP")),
        "reasonReference": [reference(course.conditions[code], DISEASES[code].chinese)],
        "start": moment(day, 570),
        "end": moment(day, 585),
        "created": moment(created, 600),
        "participant": [{"actor": actor, "status": "accepted"} for actor in people],
    }
