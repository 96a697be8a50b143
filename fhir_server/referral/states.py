"""The states of a referral: which party may do which step, and what the step may write.

https://hl7.org/fhir/R4/task.html, HL7 Clinical Order Workflows, HL7 BSeR with IHE 360X (the TIDs)

Rules
 1. A referral is a Task of code `fulfill` whose `focus` is a ServiceRequest of category *referral*.
 2. The initiator is the institution in `requester`, the recipient the institution in `owner`.
 3. A step is a row of TABLE. Whatever way a change comes (PUT, PATCH, transaction, operation), it
    is the step from the status before to the status after, for a party that the caller is.
 4. Where several rows fit, it is the one whose businessStatus the new Task names, otherwise the
    party's first.
 5. A change that changes nothing is no step.
 6. A step writes `status`, and beside it only the fields of its row. `for`, `focus`, `requester`,
    `code`, `intent` and `identifier` never change. Once sent, `note`, `input`, `output` only grow.
 7. `businessStatus`, `lastModified` and `authoredOn` are the hub's; a reason of an earlier step is
    dropped by the next step that has none.
 8. A row that needs a reason needs `statusReason` with text or a code.
 9. A referral begins as a draft, or as requested: then it is sent at once. Only a draft is deleted.
10. Accepting straight from `requested` is accepting: a party with no system of its own sends no
    acknowledgement.
11. Before care has begun the initiator cancels by itself; afterwards it asks, and the recipient
    decides. The recipient may still decline, or finish, in either case.
12. What a recipient may see follows from the state alone (and the consent): `Effect` lists what a
    step opens and closes; on-hold is therefore only a state of waiting before acceptance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from conformance.issues import Issue
from fhir_server.referral.codes import BUSINESS, codes_of, reference_id

Actor = Literal["initiator", "recipient", "hub"]
Effect = Literal[
    "check",  # refuse unless the package is complete
    "activate",  # ServiceRequest.status = active
    "fulfil",  # ServiceRequest.status = completed
    "revoke",  # ServiceRequest.status = revoked
    "void",  # ServiceRequest.status = entered-in-error
    "open-answer",  # the recipient sees Task and ServiceRequest
    "open-package",  # … and Patient and supportingInfo
    "open-pull",  # … and what the consent's provisions say
    "open-return",  # the initiator sees what the recipient records of this patient
    "close",  # package and pull end
    "close-all",  # answer and return end as well
]

ABSENT = "absent"
STAYS = ""
FIXED = ("for", "focus", "requester", "code", "intent", "identifier")
GROWING = ("note", "input", "output")
_HUBS_OWN = frozenset(
    (
        *("resourceType", "id", "meta", "text", "language"),
        *("status", "businessStatus", "lastModified", "authoredOn"),
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """One step: from one of `before` (while businessStatus is in `during`, if given) to `after`.

    `after=STAYS` keeps the status. `business` is the businessStatus afterwards, `''` keeps it.
    """

    tid: str
    name: str
    actor: Actor
    before: tuple[str, ...]
    after: str
    business: str = ""
    writes: tuple[str, ...] = ()
    reason: bool = False
    effects: tuple[Effect, ...] = ()
    during: tuple[str, ...] = ()
    chinese: str = ""

    def target(self, status: str) -> str:
        """Return the status that this step leads to from `status`."""
        return self.after or status


_DRAFT = (
    *("owner", "priority", "description", "restriction", "performerType", "executionPeriod"),
    *("reasonCode", "reasonReference", "groupIdentifier", "basedOn", "partOf", "encounter"),
    *("location", "insurance", "input", "note", "contained", "extension"),
)
_REPORT = ("note", "output", "executionPeriod", "location")
_WAITING = ("requested", "received", "on-hold")
_LIVE = (*_WAITING, "accepted", "in-progress")
_ASKED = ("cancellation-requested",)
_ACCEPTED = ("accepted", "awaiting-information", "information-supplied")
_CARE = ("started", "arrived", "visit-complete", "unattended", "appointment-cancelled")
_VISITS = ("started", "arrived", "scheduled", "visit-complete")

_I: Actor = "initiator"
_R: Actor = "recipient"
_REASON = ("statusReason", "note")

# fmt: off
TABLE: tuple[Row, ...] = (
    Row("00", "create", _I, (ABSENT,), "draft", "", (*_DRAFT, "businessStatus"), chinese="起草"),
    Row("00a", "edit", _I, ("draft",), STAYS, "", (*_DRAFT, "businessStatus"), chinese="修改草稿"),
    Row("00b", "discard", _I, ("draft",), ABSENT, chinese="删除草稿"),
    Row("00c", "abandon", _I, ("draft",), "cancelled", "cancelled", _REASON,
        effects=("revoke",), chinese="放弃草稿"),
    Row("01", "send", _I, (ABSENT, "draft"), "requested", "created", _DRAFT,
        effects=("check", "activate", "open-answer", "open-package"), chinese="发送"),
    Row("01b", "receive", _R, ("requested",), "received", "under-review", ("note",),
        chinese="签收"),
    Row("01c", "release", _R, ("on-hold",), "received", "under-review", ("note",),
        chinese="恢复审核"),
    Row("02", "accept", _R, _WAITING, "accepted", "accepted", ("note",),
        effects=("open-pull", "open-return"), chinese="接收"),
    Row("03", "decline", _R, _LIVE, "rejected", "declined", (*_REASON, "output"), True,
        ("close",), chinese="拒绝"),
    Row("P7", "redirect", _R, _LIVE, "rejected", "referred-onward", (*_REASON, "output"), True,
        ("close",), chinese="建议转往他处"),
    Row("P3", "hold", _R, ("requested", "received"), "on-hold", "waitlisted", _REASON, True,
        chinese="排队等候"),
    Row("N1", "comment", _I, _LIVE, STAYS, "", ("note", "input"), chinese="备注"),
    Row("N2", "note", _R, _LIVE, STAYS, "", _REPORT, chinese="记录"),
    Row("P1", "ask", _R, ("received", "accepted"), STAYS, "awaiting-information", _REASON, True,
        chinese="要求补充资料"),
    Row("P2", "inform", _I, ("received", "accepted"), STAYS, "information-supplied",
        ("note", "input"), during=("awaiting-information",), chinese="补充资料"),
    Row("P4", "start", _R, ("accepted",), "in-progress", "started", _REPORT, chinese="开始"),
    Row("P4a", "arrive", _R, ("accepted", "in-progress"), "in-progress", "arrived", _REPORT,
        during=(*_ACCEPTED, "started", "scheduled"),
        chinese="到位"),
    Row("06", "schedule", _R, ("accepted", "in-progress"), "in-progress", "scheduled", _REPORT,
        during=(*_ACCEPTED, *_CARE),
        chinese="预约"),
    Row("12", "miss", _R, ("in-progress",), STAYS, "unattended", (*_REASON, "output"), True,
        during=("scheduled",), chinese="未到位"),
    Row("13", "unschedule", _R, ("in-progress",), STAYS, "appointment-cancelled",
        (*_REASON, "output"), True, during=("scheduled", "unattended", "visit-complete"),
        chinese="取消预约"),
    Row("15", "report", _R, ("accepted", "in-progress"), "in-progress", "visit-complete", _REPORT,
        during=(*_ACCEPTED, *_VISITS),
        chinese="就诊记录"),
    Row("09", "complete", _R, ("accepted", "in-progress"), "completed", "completed", _REPORT,
        effects=("fulfil", "close"), chinese="完成"),
    Row("P6", "fail", _R, ("accepted", "in-progress"), "failed", "unable", (*_REASON, "output"),
        True, ("close",), chinese="无法完成"),
    Row("P9", "cancel", _I, (*_WAITING, "accepted"), "cancelled", "cancelled", _REASON, True,
        ("revoke", "close"), chinese="取消"),
    Row("07", "withdraw", _I, ("in-progress",), STAYS, "cancellation-requested", _REASON, True,
        during=(*_CARE, "scheduled"), chinese="请求取消"),
    Row("23", "confirm", _R, ("in-progress",), "cancelled", "cancelled", _REASON,
        effects=("revoke", "close"), during=_ASKED, chinese="确认取消"),
    Row("P8", "continue", _R, ("in-progress",), STAYS, "started", _REASON, True, during=_ASKED,
        chinese="不同意取消"),
    Row("P5", "expire", "hub", _WAITING, "cancelled", "expired", _REASON, True,
        ("revoke", "close"), chinese="过期"),
    Row("P10", "void", _I, ("draft", *_WAITING, "rejected", "cancelled"), "entered-in-error", "",
        _REASON, True, ("void", "close-all"), chinese="作废"),
    Row("P10a", "void", "hub", ("accepted", "in-progress", "completed", "failed"),
        "entered-in-error", "", _REASON, True, ("void", "close-all"), chinese="作废"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Illegal:
    """No row fits: the steps that this caller could take instead."""

    legal: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Faulty:
    """A row fits, but the change does not keep to it."""

    row: Row
    issues: tuple[Issue, ...]


Resource = Mapping[str, Any]


def state(task: Resource | None) -> str:
    """Return a Task's status, `absent` where there is none."""
    return ABSENT if task is None else str(task.get("status", ""))


def business(task: Resource | None) -> str:
    """Return the code of our system in a Task's businessStatus, `''` if there is none."""
    codes = codes_of((task or {}).get("businessStatus"), BUSINESS)
    return codes[0] if codes else ""


def role_of(task: Resource, organizations: Iterable[str]) -> set[Actor]:
    """Return which parties of the referral someone of these organizations (ids) is."""
    mine = set(organizations) - {""}
    sides: tuple[tuple[Actor, str], ...] = (("initiator", "requester"), ("recipient", "owner"))
    return {side for side, name in sides if reference_id(task.get(name), "Organization") in mine}


def legal(task: Resource | None, actors: Iterable[Actor]) -> tuple[Row, ...]:
    """Return the steps that these parties may take with the Task as it stands, in table order."""
    now, parties, moment = state(task), set(actors), business(task)
    return tuple(
        row
        for row in TABLE
        if row.actor in parties and now in row.before and (not row.during or moment in row.during)
    )


def decide(
    before: Resource | None, after: Resource | None, actors: Iterable[Actor]
) -> Row | Illegal | Faulty:
    """Return the step from `before` to `after` (`None`: absent, deleted) for these parties."""
    possible = legal(before, actors)
    named = business(after) if business(after) != business(before) else ""
    changed = changes(before, after)
    if state(before) == state(after) and not changed and not named:
        return Illegal(possible)
    faulty: list[Faulty] = []
    for row in _fitting(possible, state(before), state(after), named):
        issues = (*_stray(row, before, after, changed), *_unreasoned(row, after))
        if not issues:
            return row
        faulty.append(Faulty(row, issues))
    return faulty[0] if faulty else Illegal(possible)


def _fitting(possible: Iterable[Row], before: str, after: str, named: str) -> list[Row]:
    rows = [row for row in possible if row.target(before) == after]
    if named:
        return [row for row in rows if row.business == named or _free(row)]
    firsts: dict[Actor, Row] = {}
    for row in rows:
        firsts.setdefault(row.actor, row)
    return list(firsts.values())


def changes(before: Resource | None, after: Resource | None) -> tuple[str, ...]:
    """Return the names of the elements that differ, but for those that are the hub's."""
    old, new = before or {}, after or {}
    return tuple(sorted(n for n in {*old, *new} - _HUBS_OWN if old.get(n) != new.get(n)))


def _free(row: Row) -> bool:
    return "businessStatus" in row.writes


def _stray(
    row: Row, before: Resource | None, after: Resource | None, changed: tuple[str, ...]
) -> list[Issue]:
    if before is None or after is None:
        return []
    issues = [_forbidden(row, name) for name in changed if not _may_write(row, name, after)]
    if state(before) != "draft":
        issues += [_shrunk(n) for n in GROWING if n in row.writes and not _grows(n, before, after)]
    if not _free(row) and _renamed(before, after) and not business(after):
        issues.append(_forbidden(row, "businessStatus"))
    return issues


def _may_write(row: Row, name: str, after: Resource) -> bool:
    return name in row.writes or (name == "statusReason" and name not in after)


def _renamed(before: Resource, after: Resource) -> bool:
    new = after.get("businessStatus")
    return new is not None and new != before.get("businessStatus")


def _grows(name: str, before: Resource, after: Resource) -> bool:
    old = before.get(name, [])
    return bool(after.get(name, [])[: len(old)] == old)


def _forbidden(row: Row, name: str) -> Issue:
    may = ", ".join(row.writes) or "nothing"
    return Issue(
        "business-rule",
        f"The step '{row.name}' may not change {name}; beside status it may write: {may}",
        f"Task.{name}",
    )


def _shrunk(name: str) -> Issue:
    return Issue(
        "business-rule",
        f"What is in {name} stays: add to its end, in the same order",
        f"Task.{name}",
    )


def _unreasoned(row: Row, after: Resource | None) -> list[Issue]:
    reason = (after or {}).get("statusReason") or {}
    coded = any(coding.get("code") for coding in reason.get("coding", ()))
    if not row.reason or coded or str(reason.get("text", "")).strip():
        return []
    words = f"The step '{row.name}' needs a reason: statusReason with text or a code"
    return [Issue("required", words, "Task.statusReason")]
