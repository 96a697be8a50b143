"""One referral: parties, package, what happened, and the steps that this caller may take."""

from dataclasses import dataclass, replace

from starlette.responses import Response

from fhir_server import fhirjson
from fhir_server.errors import Conflict, NotFound, PreconditionFailed
from fhir_server.interactions.interaction import Interaction
from fhir_server.referral.codes import BUSINESS, DATA_CATEGORY, DIRECTION, NUMBER, STEP, codes_of
from fhir_server.web.directory import name_of
from fhir_server.web.pages.ask import Json, ask, decoded, named, search
from fhir_server.web.pages.line import Line, line
from fhir_server.web.pages.show import (
    age,
    code,
    display,
    identity,
    items,
    local,
    person,
    reference,
    text,
    who,
)
from fhir_server.web.pages.timeline import reported_in
from fhir_server.web.pages.visit import Visit, redirect, render
from fhir_server.web.pages.words import word_or

TONES = {
    "first": (),
    "plain": (),
    "grave": ("decline", "redirect", "fail", "cancel", "abandon", "withdraw"),
    "quiet": ("note", "comment", "void"),
}
"""How steps are shown, and in which order: those named nowhere are plain."""

ONWARD = ("send", "accept", "confirm", "start", "complete")
"""The usual way of a referral: the first of these that is possible stands out."""

NOTED = {"note": True, "comment": True, "inform": True, "complete": False, "report": False}
"""Steps that go with a note, and whether they need one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step that the caller may take now; `field` is what is written with it: a reason, a note."""

    name: str
    tone: str
    field: str = ""
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A step that was taken: which, what it left, when, by whom, for which institution, why.

    `name` is empty where the step was the other party's.
    """

    name: str
    business: str
    status: str
    when: str
    who: str
    place: str
    reason: str


async def show_referral(visit: Visit, told: str = "", status: int = 200) -> Response:
    """Show a referral. Raises `NotFound` for one that is absent or hidden."""
    id = visit.request.path_params["id"]
    page = await search(
        visit, "Task", ("_id", id), ("_include", "Task:focus"), ("_include", "Task:patient")
    )
    if not page.matches:
        raise NotFound(f"There is no Task/{id}.")
    task = page.matches[0]
    request, patient = page.at(task.get("focus")) or {}, page.at(task.get("for"))
    package, consent = await _package(visit, request)
    version, steps = await _steps(visit, id)
    return render(
        visit, "referral.html", status,
        title=visit.word("referral.title"), id=id, told=told or visit.asked("told"),
        **_header(visit, task, request, patient),
        sender=await _institution(visit, task, "requester"),
        receiver=await _institution(visit, task, "owner"),
        package=package, consent=consent, steps=steps, version=version,
        history=await _history(visit, id),
    )  # fmt: skip


def _header(visit: Visit, task: Json, request: Json, patient: Json | None) -> Json:
    directions = codes_of(request.get("category"), DIRECTION)
    numbers = [each for each in items(task.get("identifier")) if each.get("system") == NUMBER]
    return {
        "patient": patient,
        "name": person(patient, visit.language),
        "who": who(patient, visit.by.now, visit.language) if patient else "",
        "age": age(patient, visit.by.now, visit.language),
        "identity": identity(patient) if patient else "",
        "direction": directions[0] if directions else "",
        "priority": str(task.get("priority", "routine")),
        "state": str(task.get("status", "")),
        "business": next(iter(codes_of(task.get("businessStatus"), BUSINESS)), ""),
        "why": text(task.get("statusReason")),
        "number": str(numbers[0].get("value", "")) if numbers else "",
        "reasons": [text(each) for each in items(request.get("reasonCode"))],
        "notes": [str(each.get("text", "")) for each in items(request.get("note"))],
        "remarks": [
            (local(str(each.get("time", ""))), str(each.get("text", "")))
            for each in items(task.get("note"))
        ],
        "authored": local(str(task.get("authoredOn", ""))),
        "deadline": local(
            str(((task.get("restriction") or {}).get("period") or {}).get("end", ""))
        ),
    }


async def _institution(visit: Visit, task: Json, side: str) -> str:
    id = reference(task.get(side)).removeprefix("Organization/")
    return await name_of(visit.server, id, visit.language) if id else ""


async def _package(visit: Visit, request: Json) -> tuple[list[Line], Json | None]:
    """Return what of the package is open to the caller, and the consent in words."""
    names = [reference(each) for each in items(request.get("supportingInfo"))]
    seen = await named(visit, names)
    results = {name for each in seen.values() for name in reported_in(each)}
    others = seen | await named(visit, results - seen.keys())
    lines = [
        line(each, others, visit.language)
        for name, each in seen.items()
        if each["resourceType"] != "Consent" and name not in results
    ]
    consent = next((each for each in seen.values() if each["resourceType"] == "Consent"), None)
    return sorted(lines, key=lambda each: each.when, reverse=True), _consent(visit, consent)


def _consent(visit: Visit, consent: Json | None) -> Json | None:
    if consent is None:
        return None
    provision = consent.get("provision") or {}
    codes = codes_of(provision.get("code"), DATA_CATEGORY)
    return {
        "active": consent.get("status") == "active",
        "data": "、".join(word_or(visit.language, f"data.{each}", each) for each in codes),
        "until": local(str((provision.get("period") or {}).get("end", "")))[:10],
    }


async def _steps(visit: Visit, id: str) -> tuple[str, list[Step]]:
    """Return the version of the Task and what the caller may do with it, as `$actions` lists it."""
    reply = await ask(visit, Interaction("operation", "Task", id, operation="actions", safe=True))
    version, steps = "", []
    for each in items(decoded(reply).get("parameter")):
        if each["name"] == "version":
            version = str(each["valueString"])
            continue
        parts = {part["name"]: part for part in items(each.get("part"))}
        steps.append(step(str(parts["name"]["valueCode"]), parts["reason"]["valueBoolean"]))
    return version, ordered(steps)


def ordered(steps: list[Step]) -> list[Step]:
    """Return steps as they are listed: the one that leads on, then by tone."""
    names = [each.name for each in steps]
    onward = next((name for name in ONWARD if name in names), "")
    found = [replace(each, tone="first") if each.name == onward else each for each in steps]
    return sorted(found, key=lambda each: tuple(TONES).index(each.tone))


def step(name: str, needs_reason: bool) -> Step:
    """Return a step as it is shown."""
    tone = next((tone for tone, names in TONES.items() if name in names), "plain")
    if needs_reason:
        return Step(name, tone, "reason", is_needed=True)
    return Step(name, tone, "note" if name in NOTED else "", NOTED.get(name, False))


async def _history(visit: Visit, id: str) -> list[Event]:
    """Return what happened, oldest first: the Task's versions, and who made those of the own side.

    A party reads the Provenances of its own steps; of the other's it sees what they left behind.
    """
    told = await search(
        visit, "Provenance", ("target", f"Task/{id}"), ("_sort", "recorded"), ("_count", "100")
    )
    by_version = {
        str(target.get("reference", "")).rpartition("/")[2]: each
        for each in told.matches
        for target in items(each.get("target"))
    }
    reply = await ask(visit, Interaction("history-instance", "Task", id))
    versions = [
        entry["resource"] for entry in items(decoded(reply).get("entry")) if "resource" in entry
    ]
    return [
        await _event(visit, task, by_version.get(str(task["meta"]["versionId"]), {}))
        for task in reversed(versions)
    ]


async def _event(visit: Visit, task: Json, told: Json) -> Event:
    agent = (items(told.get("agent")) or [{}])[0]
    place = reference(agent.get("onBehalfOf")).removeprefix("Organization/")
    return Event(
        code(told.get("activity"), STEP),
        next(iter(codes_of(task.get("businessStatus"), BUSINESS)), ""),
        str(task.get("status", "")),
        local(str(task["meta"]["lastUpdated"])),
        display(agent.get("who")),
        await name_of(visit.server, place, visit.language) if place else "",
        text(task.get("statusReason")),
    )


async def take_step(visit: Visit) -> Response:
    """Take a step with the version that the page showed; a step that is not legal says what is."""
    id, name = visit.request.path_params["id"], visit.sent("step")
    given = [
        {"name": field, "valueString": visit.sent(field)}
        for field in ("reason", "note")
        if visit.sent(field)
    ]
    body = fhirjson.encode({"resourceType": "Parameters", "parameter": given}) if given else b""
    vid = visit.sent("version")
    asked = Interaction(
        "operation", "Task", id, operation=name, body=body,
        if_match=int(vid) if vid.isascii() and vid.isdigit() else None,
    )  # fmt: skip
    try:
        await ask(visit, asked)
    except (Conflict, PreconditionFailed):
        return await show_referral(visit, "conflict", 409)
    return redirect(f"/referral/{id}", told=name)
