"""What each effect of the transition table does: the writes that a step adds to its commit."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.consent import closed
from fhir_server.errors import Conflict, Unprocessable
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Query, Version, Write
from fhir_server.referral import grants
from fhir_server.referral.codes import NUMBER
from fhir_server.referral.load import (
    active_consents,
    gather,
    institution_of,
    item,
    living,
    open_grants,
)
from fhir_server.referral.package import (
    Json,
    Referral,
    lacking_consent,
    missing_parts,
)
from fhir_server.referral.states import Effect, Row
from fhir_server.search.tree import Cond, Ids, Match, Not, both

LIVE = ("requested", "received", "on-hold", "accepted", "in-progress")


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its row, the Task as it will be, and the ServiceRequest as it is."""

    row: Row
    task: Json
    request: Version
    order: Json
    referral: Referral


async def check(server: Server, caller: Caller, step: Step) -> list[Write]:
    """Refuse with 422 what is not ready to be sent; name all that is missing."""
    referral = step.referral
    items = [await item(server, caller, name) for name in referral.info]
    issues = missing_parts(referral, step.order, items, caller.now)
    if not issues:
        issues = lacking_consent(referral, await _consent(server, referral), caller.now)
    if issues:
        raise Unprocessable(*issues)
    others = await open_tasks(server, step.request.key, caller.now, but=referral.task)
    if others:
        raise Conflict(f"{others[0].key} carries out this ServiceRequest already.")
    return []


async def open_tasks(
    server: Server, request: Key, now: int, but: Key | None = None
) -> list[Version]:
    """Return the Tasks under way that have a ServiceRequest in focus."""
    where = both(
        Match("focus", (Cond("v", "=", str(request)),)),
        Match("status", (Cond("v", "in", LIVE),)),
        Not(Ids(frozenset((but.id,) if but else ()))),
    )
    return await gather(server, Query("Task", where, now=now))


async def _consent(server: Server, referral: Referral) -> Json | None:
    if not referral.consent:
        return None
    version = await living(server, Key("Consent", referral.consent))
    return fhirjson.resource(version) if version else None


async def open_answer(server: Server, caller: Caller, step: Step) -> list[Write]:
    """Let the receiver see Task and ServiceRequest."""
    return [grants.answer(step.referral, caller.now).write()]


async def open_package(server: Server, caller: Caller, step: Step) -> list[Write]:
    """Let the receiver see Patient and supportingInfo."""
    consent = await _consent(server, step.referral)
    assert consent is not None, "check has found it"
    grant = grants.package(step.referral, consent, caller.now)
    return [grant.write()]


async def open_pull(server: Server, caller: Caller, step: Step) -> list[Write]:
    """Let the receiver see what the Consent says. Raises `Conflict` if it says nothing any more."""
    referral = step.referral
    if referral.until <= caller.now:
        raise Conflict("The referral's restriction.period is over.")
    consent = await _consent(server, referral)
    issues = lacking_consent(referral, consent, caller.now)
    if consent is None or issues:
        raise Conflict(*(replace(issue, code="conflict") for issue in issues))
    patients = await active_consents(server, referral.patient, caller.now)
    against = [each for each in patients if each["id"] != referral.consent]
    rules, found = grants.pull(referral, consent, caller.now, against)
    told = (write for rule in rules for write in rule.writes())
    return [*told, *(grant.write() for grant in found)]


async def open_return(server: Server, caller: Caller, step: Step) -> list[Write]:
    """Let the sender see what the receiver records of this patient."""
    institution = await institution_of(server, step.referral.receiver)
    rule, grant = grants.returning(step.referral, institution, caller.now)
    return [*rule.writes(), grant.write()]


async def close(server: Server, caller: Caller, step: Step) -> list[Write]:
    """End package and pull."""
    return await _ended(server, caller, step, "Consent/")


async def close_all(server: Server, caller: Caller, step: Step) -> list[Write]:
    """End all that the referral opened."""
    return await _ended(server, caller, step, "")


async def _ended(server: Server, caller: Caller, step: Step, source: str) -> list[Write]:
    via = Match("via", (Cond("v", "=", str(step.referral.task)),))
    found = await open_grants(server, caller.now, via)
    return list(closed([each for each in found if each.source.startswith(source)], caller.now))


def _becomes(status: str) -> "Run":
    async def run(server: Server, caller: Caller, step: Step) -> list[Write]:
        if step.order.get("status") == status:
            return []
        request, task = step.request.key, step.referral.task
        if await open_tasks(server, request, caller.now, but=task):
            return []  # it is another Task that is carrying it out
        changed = _numbered(step) | {"status": status}
        return [derived(server, step.request.key, changed, step.request, caller.organization)]

    return run


def _numbered(step: Step) -> dict[str, Any]:
    """Return the ServiceRequest with the Task's referral number and group, where it has none."""
    order = dict(step.order)
    numbers = [each for each in step.task.get("identifier", ()) if each.get("system") == NUMBER]
    if numbers and not any(each.get("system") == NUMBER for each in order.get("identifier", ())):
        order["identifier"] = [*order.get("identifier", ()), numbers[0]]
    if "groupIdentifier" in step.task:
        order.setdefault("requisition", step.task["groupIdentifier"])
    return order


Run = Callable[[Server, Caller, Step], Awaitable[list[Write]]]

EFFECTS: Mapping[Effect, Run] = {
    "check": check,
    "activate": _becomes("active"),
    "fulfil": _becomes("completed"),
    "revoke": _becomes("revoked"),
    "void": _becomes("entered-in-error"),
    "open-answer": open_answer,
    "open-package": open_package,
    "open-pull": open_pull,
    "open-return": open_return,
    "close": close,
    "close-all": close_all,
}
