"""The audit trail, for auditors: by patient, person and day."""

import base64
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlencode

from starlette.responses import Response

from fhir_server.web.directory import name_of
from fhir_server.web.pages.ask import Json, search
from fhir_server.web.pages.show import code, items, local, reference
from fhir_server.web.pages.visit import Visit, render

PAGE = 40
_DUTIES = "https://fhir-hub.example/CodeSystem/staff-role"
_KINDS = "https://fhir-hub.example/CodeSystem/account-kind"


@dataclass(frozen=True, slots=True)
class Event:
    """An AuditEvent as a line."""

    when: str
    name: str
    person: str
    duty: str
    kind: str
    organization: str
    action: str
    subtype: str
    object: str
    query: str
    patient: str
    outcome: str


async def show_trail(visit: Visit) -> Response:
    """Show the trail; the filters are parameters of the address."""
    asked = {name: visit.asked(name) for name in ("patient", "agent", "from", "to", "outcome")}
    page = await search(
        visit, "AuditEvent",
        ("patient", asked["patient"]),
        ("agent", asked["agent"]),
        ("date", f"ge{asked['from']}" if asked["from"] else ""),
        ("date", f"le{asked['to']}" if asked["to"] else ""),
        ("outcome", asked["outcome"]),
        ("_count", str(PAGE)),
        ("_cursor", visit.asked("after")),
    )  # fmt: skip
    events = [event(each) for each in page.matches]
    places = {each.organization for each in events if each.organization}
    names = {id: await name_of(visit.server, id, visit.language) for id in places}
    kept = urlencode({name: value for name, value in asked.items() if value})
    return render(
        visit, "audit.html", title=visit.word("audit.title"), events=events, asked=asked,
        outcomes=("0", "4", "8"), next=page.next, names=names, kept=kept,
    )  # fmt: skip


def event(resource: Json) -> Event:
    """Return an AuditEvent as a line."""
    agent = items(resource.get("agent"))[0]
    who = agent.get("who") or {}
    roles = items(agent.get("role"))
    entities = [reference(each.get("what")) for each in items(resource.get("entity"))]
    names = [name for name in entities if name]
    patient = next((name for name in names if name.startswith("Patient/")), "")
    place = next((name for name in names if name.startswith("Organization/")), "")
    return Event(
        when=local(str(resource.get("recorded", ""))),
        name=str(agent.get("name") or agent.get("altId") or ""),
        person=reference(who),
        duty=next((found for each in roles if (found := code(each, _DUTIES))), ""),
        kind=next((found for each in roles if (found := code(each, _KINDS))), ""),
        organization=place.removeprefix("Organization/"),
        action=str(resource.get("action", "")),
        subtype=next((str(each.get("code", "")) for each in items(resource.get("subtype"))), ""),
        object=next((name for name in names if name not in (patient, place)), ""),
        query=_query(resource),
        patient=patient.removeprefix("Patient/"),
        outcome=str(resource.get("outcome", "")),
    )


def _query(resource: Json) -> str:
    for each in items(resource.get("entity")):
        if each.get("query"):
            return unquote_plus(base64.b64decode(each["query"]).decode(errors="replace"))
    return ""
