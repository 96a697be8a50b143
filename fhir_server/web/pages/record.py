"""Patients: find one, and read the record as a timeline with one chart."""

from dataclasses import dataclass

from starlette.responses import Response

from fhir_server.web.pages.ask import Json, read, search
from fhir_server.web.pages.chart import CODES, Chart, chart, readings
from fhir_server.web.pages.line import Line, line
from fhir_server.web.pages.refer import may_refer
from fhir_server.web.pages.show import age, identity, items, numbers, person, who
from fhir_server.web.pages.timeline import KINDS, timeline
from fhir_server.web.pages.visit import Visit, render

PAGE = 20
_READINGS = 120


@dataclass(frozen=True, slots=True)
class Summary:
    """What a clinician wants to know before anything else."""

    conditions: tuple[Line, ...]
    medication: tuple[Line, ...]
    allergies: tuple[Line, ...]


async def show_patients(visit: Visit) -> Response:
    """List the patients who are open to the caller, by name or by a number."""
    words = visit.asked("q")
    page = await search(
        visit, "Patient", (_criterion(words), words), ("_count", str(PAGE)),
        ("_cursor", visit.asked("after")),
    )  # fmt: skip
    rows = [
        {
            "id": each["id"],
            "name": person(each, visit.language),
            "who": who(each, visit.by.now, visit.language),
            "birth": str(each.get("birthDate", "")),
            "numbers": numbers(each, visit.language),
            "phone": _phone(each),
        }
        for each in page.matches
    ]
    title = visit.word("patients.title")
    return render(visit, "patients.html", rows=rows, q=words, next=page.next, title=title)


def _criterion(words: str) -> str:
    """Tell a number from a name: a number has a digit in it.

    >>> _criterion("王建国"), _criterion("H00000003")
    ('name', 'identifier')
    """
    return "identifier" if any(each.isdigit() for each in words) else "name"


async def show_record(visit: Visit) -> Response:
    """Show a record. Raises `NotFound` for one that is absent or hidden."""
    return await record(visit, visit.request.path_params["id"])


async def show_own(visit: Visit) -> Response:
    """Show a patient the own record."""
    return await record(visit, visit.by.patient)


async def record(visit: Visit, id: str) -> Response:
    """Show the record of a patient, from the day before `before` on, of one kind or all."""
    patient = await read(visit, "Patient", id)
    kind, before = visit.asked("kind"), visit.asked("before")
    page = await timeline(visit, id, kind, before)
    is_first = not before and not kind
    return render(
        visit, "record.html", title=person(patient, visit.language), id=id,
        **header(visit, patient), page=page, kind=kind, kinds=tuple(KINDS),
        summary=await summary(visit, id) if is_first else None,
        chart=await pressure(visit, id) if is_first else None,
        may_refer=await may_refer(visit, id),
    )  # fmt: skip


def header(visit: Visit, patient: Json) -> Json:
    """Return who the patient is."""
    return {
        "name": person(patient, visit.language),
        "who": who(patient, visit.by.now, visit.language),
        "age": age(patient, visit.by.now, visit.language),
        "birth": str(patient.get("birthDate", "")),
        "identity": identity(patient),
        "numbers": numbers(patient, visit.language),
        "phone": _phone(patient),
        "address": next((str(a.get("text", "")) for a in items(patient.get("address"))), ""),
        "deceased": "deceasedDateTime" in patient or patient.get("deceasedBoolean") is True,
    }


def _phone(patient: Json) -> str:
    phones = [a for a in items(patient.get("telecom")) if a.get("system") == "phone"]
    return str(phones[0].get("value", "")) if phones else ""


async def summary(visit: Visit, id: str) -> Summary:
    """Return active problems, medication and allergies."""
    of = ("patient", id)
    problems = await search(
        visit, "Condition", of, ("clinical-status", "active,recurrence,relapse")
    )
    taken = await search(visit, "MedicationStatement", of, ("status", "active"))
    allergies = await search(visit, "AllergyIntolerance", of)
    return Summary(*(
        tuple(line(each, {}, visit.language) for each in page.matches)
        for page in (problems, taken, allergies)
    ))  # fmt: skip


async def pressure(visit: Visit, id: str) -> Chart | None:
    """Return the chart of blood pressure, None where there is too little of it."""
    page = await search(
        visit, "Observation", ("patient", id), ("code", CODES), ("_sort", "-date"),
        ("_count", str(_READINGS)),
    )  # fmt: skip
    return chart(readings(page.matches))
