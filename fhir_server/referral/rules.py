"""The write rules of Task, ServiceRequest and Consent: what a referral adds, or refuses."""

from collections.abc import Iterable, Mapping, Sequence

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import Conflict, Unprocessable
from fhir_server.interactions.server import Change, Server, WriteRule
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Query, Write
from fhir_server.referral.consents import consent_rule
from fhir_server.referral.effects import EFFECTS, Step, open_tasks
from fhir_server.referral.load import gather, item, living, turnstile
from fhir_server.referral.package import Json, focus_of, is_referral, referral_of
from fhir_server.referral.provenance import provenance, provenance_rule
from fhir_server.referral.settle import settle
from fhir_server.referral.states import (
    Actor,
    Faulty,
    Illegal,
    Resource,
    Row,
    business,
    changes,
    decide,
    role_of,
    state,
)
from fhir_server.search.tree import Cond, Match

EVERYONE: frozenset[Actor] = frozenset(("initiator", "recipient", "hub"))
_UNSEALED = frozenset(("id", "meta", "text"))


async def task_rule(server: Server, caller: Caller, change: Change) -> Sequence[Write]:
    """Take the step that a change of a referral's Task is; leave every other Task alone.

    Raises `Conflict` (409) naming the legal steps, `Unprocessable` (422) naming the wrong fields.
    """
    if not await _concerns(server, caller, change):
        return ()
    row = step_of(change.before, change.after, actors(caller, change.before or change.after or {}))
    if change.after is None:
        return ()
    vid = change.version.vid + 1 if change.version else 1
    number = server.new_id() if change.before is None else ""
    task = settle(row, change.before, change.after, caller.now, number)
    step = await _step(server, change.key, row, task)
    told = provenance(caller, row, change.key, vid, task)
    writes = [
        derived(server, change.key, task, change.version, caller.organization),
        derived(server, Key("Provenance", server.new_id()), told, None, caller.organization),
    ]
    return [*writes, *await _effects(server, caller, step)]


async def _effects(server: Server, caller: Caller, step: Step) -> list[Write]:
    if not step.row.effects:
        return []
    writes = [await turnstile(server, step.referral.patient)]
    for effect in step.row.effects:
        writes += await EFFECTS[effect](server, caller, step)
    return writes


def actors(caller: Caller, task: Resource) -> frozenset[Actor]:
    """Return which parties of the referral the caller acts for."""
    match caller.kind:
        case "operator" | "open":
            return EVERYONE
        case "staff" | "feed":
            return frozenset(role_of(task, caller.organizations))
    return frozenset()


def step_of(before: Json | None, after: Json | None, parties: Iterable[Actor]) -> Row:
    """Return the step from `before` to `after`. Raises `Conflict`, `Unprocessable`."""
    acting = frozenset(parties)
    match decide(before, after, acting):
        case Illegal(legal):
            words = refusal(before, state(after), acting, legal)
            raise Conflict(Issue("conflict", words, "Task.status"))
        case Faulty(_, issues):
            raise Unprocessable(*issues)
        case Row() as row:
            return row


def refusal(
    before: Resource | None, wanted: str, acting: Iterable[Actor], legal: Sequence[Row]
) -> str:
    """Say that a Task cannot become `wanted`, or take that step, and what is legal instead."""
    now = state(before) + (f" ({business(before)})" if business(before) else "")
    steps = ", ".join(f"{row.name} (to {row.target(state(before))})" for row in legal)
    return (
        f"The referral is {now}: {wanted} is not possible."
        f" Legal for {' and '.join(sorted(acting)) or 'one who is no party'}: {steps or 'nothing'}."
    )


async def _concerns(server: Server, caller: Caller, change: Change) -> bool:
    """Say whether the change is one of a referral's Task.

    Raises `Unprocessable` where it would make one of a Task that is none, or of a ServiceRequest
    that is not the caller's to send: one that is hidden is as one that is absent.
    """
    was, will = focus_of(change.before), focus_of(change.after)
    if await refers(server, change.before):
        return True
    if will is None or (change.before is not None and will == was):
        return False
    seen = await item(server, caller, str(will))
    if seen.patients is None:
        raise Unprocessable(Issue("not-found", f"There is no {will}.", "Task.focus"))
    if not await refers(server, change.after):
        return False
    if change.before is not None:
        raise Unprocessable(
            Issue("business-rule", "A Task does not become a referral: create one.", "Task.focus")
        )
    if caller.kind not in ("operator", "open") and not seen.own:
        words = "The ServiceRequest is not one of the requester's institution."
        raise Unprocessable(Issue("business-rule", words, "Task.focus"))
    return True


async def refers(server: Server, task: Resource | None) -> bool:
    """Say whether a Task is one of a referral."""
    version = await living(server, focus_of(task))
    return version is not None and is_referral(fhirjson.resource(version))


async def _step(server: Server, key: Key, row: Row, task: Json) -> Step:
    focus = focus_of(task)
    request = await living(server, focus)
    if focus is None or request is None:
        raise Conflict("The ServiceRequest of this referral is gone.")
    order = fhirjson.resource(request)
    return Step(row, task, request, order, referral_of(key, task, focus, order))


async def request_rule(server: Server, caller: Caller, change: Change) -> Sequence[Write]:
    """Seal the content of a referral's ServiceRequest once it is sent; its Task alone moves it on.

    Raises `Conflict` (409) for a change of state that is the Task's, `Unprocessable` (422) for a
    change of content.
    """
    before, after = change.before, change.after
    if before is None:
        return ()
    if not is_referral(before):
        if is_referral(after):
            raise Unprocessable(_fixed("category", "A ServiceRequest does not become a referral"))
        return ()
    if after is None:
        await _refuse_if_used(server, caller, change.key)
    else:
        _refuse_content(before, after)
        if before.get("status") != after.get("status"):
            await _refuse_status(server, caller, change.key, str(after.get("status")))
    return ()


def _refuse_content(before: Json, after: Json) -> None:
    if not is_referral(after):
        raise Unprocessable(_fixed("category", "A referral stays one"))
    if before.get("status") == "draft":
        return
    names = [name for name in changes(before, after) if name not in _UNSEALED]
    if names:
        raise Unprocessable(
            *(_fixed(name, "The referral was sent: it is sealed") for name in names)
        )


async def _refuse_status(server: Server, caller: Caller, key: Key, status: str) -> None:
    if status not in ("revoked", "entered-in-error"):
        raise Conflict(f"A referral's ServiceRequest becomes {status} by a step of its Task alone.")
    busy = await open_tasks(server, key, caller.now)
    if busy:
        raise Conflict(f"{busy[0].key} is under way: take a step of it instead.")


async def _refuse_if_used(server: Server, caller: Caller, key: Key) -> None:
    focused = Match("focus", (Cond("v", "=", str(key)),))
    tasks = await gather(server, Query("Task", focused, now=caller.now))
    if tasks:
        raise Conflict(f"{tasks[0].key} has this ServiceRequest in focus.")


def _fixed(name: str, words: str) -> Issue:
    return Issue("business-rule", f"{words}; {name} cannot change.", f"ServiceRequest.{name}")


WRITE_RULES: Mapping[str, tuple[WriteRule, ...]] = {
    "Task": (task_rule,),
    "ServiceRequest": (request_rule,),
    "Consent": (consent_rule,),
    "Provenance": (provenance_rule,),
}
