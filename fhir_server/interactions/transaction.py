"""FHIR transaction interaction: all entries or none, in one commit.

https://hl7.org/fhir/R4/http.html#transaction

1. Entries are taken in the order DELETE, POST, PUT and PATCH, GET; a record occurs once among them.
2. Each new resource has its id before any is looked at, so that references between them can be
   settled.
3. All are drafted, then approved: each sees the others as if they were written.
4. One commit. If another request was faster, all of it is done again, a bounded number of times.
5. Reads see what was written; one that would fail refuses the whole before anything is written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, HubError, NotSupported, PreconditionFailed, Unprocessable
from fhir_server.interactions import references
from fhir_server.interactions.batch import BREATH
from fhir_server.interactions.bundle import answered, bundle
from fhir_server.interactions.commit import answer, commit, concerned, persist
from fhir_server.interactions.create import draft_new, look_for
from fhir_server.interactions.criteria import matching
from fhir_server.interactions.delete import plan_delete
from fhir_server.interactions.entries import Step, at, steps
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.patch import plan_patch
from fhir_server.interactions.pending import Pending
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import plan_update
from fhir_server.interactions.write import Draft, Plan, approve
from fhir_server.model import Key, Query, Version

_ORDER = {"delete": 0, "create": 1, "update": 2, "patch": 2}
_PLANS = {"delete": plan_delete, "update": plan_update, "patch": plan_patch}
_READS = 3

T = TypeVar("T")
Run = Callable[[Server, Caller, Interaction], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class _Target:
    """What a create is to become: a new id, or the record that exists already."""

    id: str
    unless: Query | None = None
    existing: Version | None = None


async def transaction(server: Server, caller: Caller, ask: Interaction, run: Run) -> Reply:
    """Write all entries or none, and answer each in its place. Raises for the first that is
    refused.
    """
    todo = steps(server, ask)
    for step in todo:
        if step.fault is not None:
            raise at(step.place, step.fault)
        if step.ask.name == "operation":
            fault = NotSupported("Operations inside a transaction are not supported yet.")
            raise at(step.place, fault)
    ordered = sorted(todo, key=lambda step: _ORDER.get(step.ask.name, _READS))

    async def attempt() -> Reply:
        return await _attempt(server, caller, ask, ordered, run)

    return await persist(attempt)


async def _attempt(
    server: Server, caller: Caller, ask: Interaction, ordered: Sequence[Step], run: Run
) -> Reply:
    changing = [step for step in ordered if step.ask.name in _ORDER]
    reading = [step for step in ordered if step.ask.name not in _ORDER]
    pending = Pending(server.store, caller.now)
    ahead = replace(server, store=pending)
    plans = await _plan_all(server, caller, changing)
    drafts = {place: plan for place, plan in plans.items() if isinstance(plan, Draft)}
    await pending.add(made.write for made in drafts.values())
    for place, made in drafts.items():
        await pending.add(await _under(place, approve(ahead, caller, made)))
    seen = await _read_all(ahead, caller, reading, run)
    replies = {place: plan for place, plan in plans.items() if isinstance(plan, Reply)} | seen
    if drafts:
        told = [reply.patients for reply in replies.values()]
        told += [made.before.patients for made in drafts.values() if made.before]
        versions = await commit(server, caller, ask, pending.writes, 200, told=told)
        latest = {version.key: version for version in versions}
        replies |= {place: answer(made, latest[made.key]) for place, made in drafts.items()}
        replies |= await _read_all(server, caller, reading, run)
    return _response(ask, replies, audited=bool(drafts))


async def _plan_all(server: Server, caller: Caller, changing: Sequence[Step]) -> dict[int, Plan]:
    """Return what becomes of each entry. Raises for all resources that break the rules at once.

    "If any resource identities (including resolved identities from conditional update/delete)
    overlap in steps 1-3, then the transaction SHALL fail."
    """
    _refuse_twice(changing)
    targets = {
        step.place: await _under(step.place, _target(server, caller, step.ask))
        for step in changing
        if step.ask.name == "create"
    }
    links = _links(changing, targets) | await _looked_up(server, caller, changing)
    plans: dict[int, Plan] = {}
    problems: list[Issue] = []
    seen: set[Key] = set()
    for number, step in enumerate(changing):
        try:
            ask = _linked(step.ask, links)
            plan = await _plan(server, caller, ask, targets.get(step.place))
        except Unprocessable as fault:
            problems.extend(at(step.place, fault).issues)
            continue
        except HubError as fault:
            raise at(step.place, fault) from None
        plans[step.place] = plan
        if plan.key in seen:
            raise at(step.place, BadRequest(f"{plan.key} occurs twice in the transaction."))
        if plan.key is not None and not _exists(targets.get(step.place)):
            seen.add(plan.key)
        if number % BREATH == BREATH - 1:
            await asyncio.sleep(0)  # others' small requests come between
    if problems:
        raise Unprocessable(*problems)
    return plans


def _refuse_twice(changing: Sequence[Step]) -> None:
    """Raise `BadRequest` for a second create on the same condition: neither sees the other."""
    seen: set[tuple[str, str]] = set()
    for step in changing:
        condition = (step.ask.type, step.ask.if_none_exist)
        if step.ask.name == "create" and step.ask.if_none_exist:
            if condition in seen:
                raise at(step.place, BadRequest("Another entry has the same ifNoneExist."))
            seen.add(condition)


async def _plan(server: Server, caller: Caller, ask: Interaction, target: _Target | None) -> Plan:
    if target is None:
        return await _PLANS[ask.name](server, caller, ask)
    if target.existing is not None:
        return unchanged(target.existing, ask)
    return draft_new(server, caller, ask, target.id, target.unless)


def _exists(target: _Target | None) -> bool:
    return target is not None and target.existing is not None


async def _target(server: Server, caller: Caller, ask: Interaction) -> _Target:
    query, existing = await look_for(server, caller, ask)
    return _Target(existing.key.id if existing else server.new_id(), query, existing)


def _links(changing: Sequence[Step], targets: Mapping[int, _Target]) -> dict[str, str]:
    """Return the literal reference of each entry by its fullUrl. Raises `BadRequest` for one
    twice.
    """
    links: dict[str, str] = {}
    for step in changing:
        target = targets.get(step.place)
        id = target.id if target else step.ask.id
        if not step.ask.fullurl or not id:
            continue
        if step.ask.fullurl in links:
            raise at(step.place, BadRequest("Another entry has the same fullUrl."))
        links[step.ask.fullurl] = str(Key(step.ask.type, id))
    return links


async def _looked_up(server: Server, caller: Caller, changing: Sequence[Step]) -> dict[str, str]:
    """Return what conditional references mean. Raises `PreconditionFailed` where it is not one
    record.
    """
    links: dict[str, str] = {}
    for step in changing:
        for text in sorted(references.conditional([step.ask.body]) - links.keys()):
            type = text.partition("?")[0]
            if type not in server.definitions.resource_types:
                raise at(step.place, BadRequest(f"{type[:64]!r} is not a resource type."))
            _, found = await _under(step.place, matching(server, caller, step.ask, text, type))
            if len(found) != 1:
                told = "Several records match" if found else "Nothing matches"
                raise at(step.place, PreconditionFailed(f"{told} the reference {text[:200]!r}."))
            links[text] = str(found[0].key)
    return links


def _linked(ask: Interaction, links: Mapping[str, str]) -> Interaction:
    if not links or not ask.body:
        return ask
    base = references.base_of(ask.fullurl, ask.type)
    return replace(ask, body=references.rewrite(ask.body, links, base))


async def _read_all(
    server: Server, caller: Caller, reading: Sequence[Step], run: Run
) -> dict[int, Reply]:
    return {step.place: await _under(step.place, run(server, caller, step.ask)) for step in reading}


async def _under(place: int, work: Awaitable[T]) -> T:
    """Do a part of an entry's work; its errors tell which entry it was."""
    try:
        return await work
    except HubError as fault:
        raise at(place, fault) from None


def _response(ask: Interaction, replies: Mapping[int, Reply], *, audited: bool) -> Reply:
    entries = [answered(ask.base, replies[place]) for place in sorted(replies)]
    patients = concerned(reply.patients for reply in replies.values())
    body = bundle("transaction-response", entries)
    return Reply(200, body, patients=patients, audited=audited)
