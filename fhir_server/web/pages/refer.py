"""Write a referral: to whom, why, what goes along, what the patient agrees to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.responses import Response

from fhir_server import fhirjson
from fhir_server.authz.categories import CATEGORIES
from fhir_server.authz.decide import Allow, decide
from fhir_server.errors import Forbidden, Unprocessable
from fhir_server.interactions.interaction import Interaction
from fhir_server.model import Key
from fhir_server.referral.codes import DIRECTION, DIRECTIONS, codes_of, concept
from fhir_server.referral.compose import DownReferral, Fullurls, compose
from fhir_server.referral.load import owner_of
from fhir_server.web.directory import name_of
from fhir_server.web.pages.ask import Json, ask, read, search
from fhir_server.web.pages.line import Line, line
from fhir_server.web.pages.show import person, today, who
from fhir_server.web.pages.visit import Visit, redirect, render

PRIORITIES = ("routine", "urgent", "asap", "stat")
CONSENT_DAYS, DECIDE_DAYS = 90, 7
_TICKED = ("package", "data")
_DIRECTIONS = ("down", "up", "lateral")


@dataclass(frozen=True, slots=True)
class Offered:
    """A group of records that may go along: its word, its lines, whether they are ticked."""

    word: str
    lines: tuple[Line, ...]
    is_ticked: bool


async def may_refer(visit: Visit, patient: str) -> bool:
    """Tell whether the caller may refer a patient.

    The role must write referrals, and the institution must keep the patient's record: it alone
    writes the consent.
    """
    types = ("ServiceRequest", "Task", "Consent")
    decisions = (decide(visit.by, each, "create") for each in types)
    if visit.by.kind != "staff" or not all(isinstance(each, Allow) for each in decisions):
        return False
    keeper = owner_of(await visit.server.store.read(Key("Patient", patient)))
    return keeper in visit.by.organizations


async def show_form(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """Show the form, with what was filled in where it is shown again."""
    id = visit.request.path_params["id"]
    patient = await read(visit, "Patient", id)
    if not await may_refer(visit, id):
        raise Forbidden("This role, or this institution, writes no referral of this patient.")
    day = today(visit.by.now)
    return render(
        visit, "refer.html", status, title=visit.word("refer.title"), id=id, problem=problem,
        name=person(patient, visit.language), who=who(patient, visit.by.now, visit.language),
        clinics=await _clinics(visit), offered=await _offered(visit, id),
        categories=tuple(CATEGORIES), priorities=PRIORITIES, directions=_DIRECTIONS,
        sent=visit.sent,
        ticked=_ticked(visit), today=day.isoformat(),
        until=(day + timedelta(days=CONSENT_DAYS)).isoformat(),
        deadline=(day + timedelta(days=DECIDE_DAYS)).isoformat(),
    )  # fmt: skip


def _ticked(visit: Visit) -> dict[str, list[str]] | None:
    """Return what was ticked in a form that is shown again; None for one that is new."""
    return {name: visit.fields.get(name, []) for name in _TICKED} if visit.fields else None


async def _clinics(visit: Visit) -> list[tuple[str, str]]:
    """Return the institutions that a referral may go to: each but the caller's own."""
    page = await search(
        visit, "Organization", ("type", "prov"), ("partof:missing", "true"), ("_count", "200")
    )
    return [
        (each["id"], await name_of(visit.server, each["id"], visit.language))
        for each in page.matches
        if each["id"] not in visit.by.organizations and each.get("active", True)
    ]


async def _offered(visit: Visit, id: str) -> tuple[Offered, ...]:
    asked: Sequence[tuple[str, bool, str, tuple[tuple[str, str], ...]]] = (
        ("record.conditions", True, "Condition", (("clinical-status", "active"),)),
        ("record.medication", True, "MedicationStatement", (("status", "active"),)),
        ("record.allergies", True, "AllergyIntolerance", ()),
        ("line.plan", True, "CarePlan", (("status", "active"),)),
        ("line.report", False, "DiagnosticReport", (("_sort", "-date"), ("_count", "6"))),
        ("line.observation", False, "Observation",
         (("_sort", "-date"), ("_count", "6"), ("category", "vital-signs"))),
    )  # fmt: skip
    groups = []
    for word, is_ticked, type, params in asked:
        page = await search(visit, type, ("patient", id), *params)
        lines = tuple(line(each, page.included, visit.language) for each in page.matches)
        groups.append(Offered(word, lines, is_ticked))
    return tuple(each for each in groups if each.lines)


async def send_form(visit: Visit) -> Response:
    """Write Consent, ServiceRequest and Task in one transaction, and send where that was chosen."""
    problem = _problem(visit)
    if problem:
        return await show_form(visit, problem, 422)
    fullurls = Fullurls(*(f"urn:uuid:{UUID(int=_number(visit))}" for _ in range(3)))
    bundle = directed(compose(_referral(visit), fullurls), visit.sent("direction"))
    reply = await ask(visit, Interaction("transaction", body=fhirjson.encode(bundle)))
    places = [
        entry["response"].get("location", "") for entry in fhirjson.decode(reply.body)["entry"]
    ]
    task = next(_id(place) for place in places if "Task/" in place)
    if visit.sent("do") == "send":
        await ask(visit, Interaction("operation", "Task", task, operation="send"))
        return redirect(f"/referral/{task}", told="send")
    return redirect(f"/referral/{task}", told="create")


def directed(bundle: Json, direction: str) -> Json:
    """Return a composed referral with another direction; an unknown one changes nothing."""
    for entry in bundle["entry"]:
        categories = entry["resource"].get("category", [])
        for place, each in enumerate(categories):
            if codes_of(each, DIRECTION) and direction in DIRECTIONS:
                categories[place] = concept(DIRECTION, direction, DIRECTIONS[direction])
    return bundle


def _problem(visit: Visit) -> str:
    """Return the word for what is missing in the form, empty where nothing is."""
    if not visit.fields.get("data"):
        return "refer.data.none"
    return "" if visit.sent("agreed") else "refer.agreed.needed"


def _number(visit: Visit) -> int:
    """Return a number for a urn:uuid that holds within one transaction."""
    return int.from_bytes(visit.server.new_id().encode()[-16:])


def _id(place: str) -> str:
    return place.partition("Task/")[2].partition("/")[0]


def _referral(visit: Visit) -> DownReferral:
    """Read the form. Raises `Unprocessable` for a receiver or date that is none."""
    caller = visit.by
    data = [each for each in visit.fields.get("data", []) if each in CATEGORIES]
    package = tuple(visit.fields.get("package", []))
    receiver = visit.sent("receiver")
    if not receiver or receiver in caller.organizations:
        raise Unprocessable("Choose the receiving institution.")
    return DownReferral(
        patient=f"Patient/{visit.request.path_params['id']}",
        sender=f"Organization/{caller.organization}",
        receiver=f"Organization/{receiver}",
        author=caller.person,
        written=datetime.fromtimestamp(caller.now / 1000, UTC).isoformat(timespec="seconds"),
        until=_day(visit.sent("until")),
        data=tuple(data),
        reasons=tuple(each for each in package if each.startswith("Condition/")),
        package=package,
        reason=visit.sent("reason"),
        note=visit.sent("note"),
        priority=visit.sent("priority") if visit.sent("priority") in PRIORITIES else "routine",
        deadline=_day(visit.sent("deadline")) if visit.sent("deadline") else "",
    )


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise Unprocessable(f"{text[:32]!r} is no date; expected YYYY-MM-DD.") from None
