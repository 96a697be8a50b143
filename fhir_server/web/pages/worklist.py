"""An institution's referrals: what waits for a decision, what is in care, what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from fhir_server.interactions.interaction import Interaction
from fhir_server.referral.codes import BUSINESS, DIRECTION, codes_of
from fhir_server.referral.worklist import LISTS, worklist
from fhir_server.web.directory import name_of
from fhir_server.web.pages.ask import Found, ask, decoded, found
from fhir_server.web.pages.show import (
    Json,
    items,
    local,
    person,
    reference,
    since,
    text,
    today,
    who,
)
from fhir_server.web.pages.visit import Visit, render

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("work.received", ("incoming", "in-care", "answered")),
    ("work.sent", ("drafts", "sent", "returned")),
)
TAB_WORDS: Mapping[str, str] = {name: f"work.{name}" for name in LISTS} | {"sent": "work.sent-open"}
PAGE = 20


@dataclass(frozen=True, slots=True)
class Item:
    """A referral as a line of the list."""

    id: str
    patient: str
    who: str
    direction: str
    priority: str
    reason: str
    other: str
    status: str
    business: str
    waiting: str
    updated: str
    deadline: str
    is_late: bool


async def show_worklist(visit: Visit) -> Response:
    """Show one of the lists; what waits for a decision comes first."""
    name = visit.asked("list")
    name = name if name in LISTS else "incoming"
    asked = worklist(name, visit.by.organization, PAGE)
    if visit.asked("after"):
        params = (*asked.params, ("_cursor", visit.asked("after")))
        asked = Interaction("search-type", "Task", params=params)
    page = found(decoded(await ask(visit, asked)))
    side = LISTS[name][0]
    names = {
        id: await name_of(visit.server, id, visit.language)
        for id in {_other(task, side) for task in page.matches}
    }
    rows = [item(visit, task, page, names[_other(task, side)]) for task in page.matches]
    return render(
        visit, "worklist.html", items=rows, list=name, side=side, groups=GROUPS, tabs=TAB_WORDS,
        next=page.next, title=visit.word("work.title"),
    )  # fmt: skip


def _other(task: Json, side: str) -> str:
    other = "requester" if side == "owner" else "owner"
    return reference(task.get(other)).removeprefix("Organization/")


def item(visit: Visit, task: Json, page: Found, other: str) -> Item:
    """Return a Task as a line of the list."""
    now, language = visit.by.now, visit.language
    request, patient = page.at(task.get("focus")) or {}, page.at(task.get("for"))
    reasons = [text(each) for each in items(request.get("reasonCode"))]
    directions = codes_of(request.get("category"), DIRECTION)
    deadline = local(str(((task.get("restriction") or {}).get("period") or {}).get("end", "")))
    authored = str(task.get("authoredOn", ""))
    return Item(
        id=task["id"],
        patient=person(patient, language),
        who=who(patient, now, language) if patient else "",
        direction=directions[0] if directions else "",
        priority=str(task.get("priority", "routine")),
        reason="；".join(each for each in reasons if each),
        other=other,
        status=str(task.get("status", "")),
        business=next(iter(codes_of(task.get("businessStatus"), BUSINESS)), ""),
        waiting=since(authored, now, language),
        updated=local(str(task.get("lastModified", ""))),
        deadline=deadline[:10],
        is_late=bool(deadline) and deadline[:10] < today(now).isoformat(),
    )
