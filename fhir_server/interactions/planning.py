"""What becomes of the entries of a transaction that change something.

https://hl7.org/fhir/R4/http.html#trules

1. What is deleted is settled first: no later criterion finds it.
2. Each new resource has its id before any is looked at, so that references between them can be
   settled; a conditional create, update or patch that finds its record has that one's.
3. Conditional references are looked up among what is stored and what other entries bring.
4. Then each is drafted; a record occurs once among them, and no two meet one condition.
"""

from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, HubError, PreconditionFailed, Unprocessable
from fhir_server.interactions import references
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.create import draft_new, look_for
from fhir_server.interactions.criteria import matching, the_one
from fhir_server.interactions.delete import plan_delete
from fhir_server.interactions.entries import Step, at
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.overlap import Candidates, refuse_overlap
from fhir_server.interactions.patch import plan_patch
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import Target, look_for_target, plan_update
from fhir_server.interactions.write import Draft, Plan, decode
from fhir_server.model import Entry, Key
from fhir_server.search.evaluate import Plain
from fhir_server.search.tree import Ids

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plans:
    """What is to be written for each entry, and the answers where nothing is; both by place."""

    drafts: dict[int, list[Draft]] = field(default_factory=dict)
    replies: dict[int, Reply] = field(default_factory=dict)


async def under(place: int, work: Awaitable[T]) -> T:
    """Do a part of an entry's work; its errors tell which entry it was."""
    try:
        return await work
    except HubError as fault:
        raise at(place, fault) from None


async def plan_all(
    server: Server, caller: Caller, changing: Sequence[Step], breath: Breath
) -> Plans:
    """Return what becomes of entries, which are in the order in which they are done.

    Raises for all resources that break the rules at once, for anything else at once.
    """
    _refuse_twice(changing)
    plans = Plans()
    seen: set[Key] = set()
    for step in changing:
        if step.ask.name == "delete":
            drafts = await under(step.place, plan_delete(server, caller, step.ask))
            plans.drafts[step.place] = drafts
            for made in drafts:
                _once(seen, step, made.key)
    making = [step for step in changing if step.ask.name != "delete"]
    gone = _ids(seen)
    targets = await _targets(server, caller, making, (gone, breath))
    looked_up = await _looked_up(server, caller, making, targets, (gone, breath))
    links = _links(making, targets) | looked_up
    problems: list[Issue] = []
    for step in making:
        target = targets.get(step.place)
        ask = _linked(step.ask, links)
        try:
            plan = await under(step.place, _plan(server, caller, ask, target, gone[ask.type]))
        except Unprocessable as fault:
            problems.extend(fault.issues)
            continue
        if plan.key is not None and not _is_found(step, targets):
            _once(seen, step, plan.key)
        if isinstance(plan, Draft):
            plans.drafts[step.place] = [plan]
        else:
            plans.replies[step.place] = plan
        await breath.take()
    if problems:
        raise Unprocessable(*problems)
    await refuse_overlap(server, plans.drafts, breath)
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


def _once(seen: set[Key], step: Step, key: Key) -> None:
    """Remember a record that is written.

    "If any resource identities (including resolved identities from conditional update/delete)
    overlap in steps 1-3, then the transaction SHALL fail."
    """
    if key in seen:
        raise at(step.place, BadRequest(f"{key} occurs twice in the transaction."))
    seen.add(key)


def _ids(keys: set[Key]) -> Mapping[str, Ids]:
    """Return the ids of each type; of a type that is not there, none."""
    by_type: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        by_type[key.type].add(key.id)
    found = {type: Ids(frozenset(ids)) for type, ids in by_type.items()}
    return defaultdict(lambda: Ids(frozenset()), found)


async def _plan(
    server: Server, caller: Caller, ask: Interaction, target: Target | None, gone: Ids
) -> Plan:
    if ask.name == "update":
        return await plan_update(server, caller, ask, gone, target)
    if ask.name == "patch" or target is None:
        return await plan_patch(server, caller, ask, gone)
    if target.existing is not None:
        return unchanged(target.existing, ask)
    return await draft_new(server, caller, ask, target.id, target.unless)


def _is_found(step: Step, targets: Mapping[int, Target]) -> bool:
    """Return whether an entry is a conditional create that creates nothing."""
    target = targets.get(step.place)
    return step.ask.name == "create" and target is not None and target.existing is not None


async def _targets(
    server: Server, caller: Caller, making: Sequence[Step], given: tuple[Mapping[str, Ids], Breath]
) -> dict[int, Target]:
    """Return what each entry is about whose address does not name it."""
    gone, breath = given
    targets: dict[int, Target] = {}
    for step in making:
        await breath.take()
        if not step.ask.id:
            looked = _target(server, caller, step.ask, gone[step.ask.type])
            target = await under(step.place, looked)
            if target is not None:
                targets[step.place] = target
    return targets


async def _target(server: Server, caller: Caller, ask: Interaction, gone: Ids) -> Target | None:
    """Return what an entry is about; None for a patch that finds nothing, or is referred to by
    none.
    """
    if ask.name == "create":
        query, existing = await look_for(server, caller, ask, gone)
        return Target(existing.key.id if existing else server.new_id(), query, existing)
    if ask.name == "update":
        return await look_for_target(server, caller, ask, gone)
    if not ask.fullurl:
        return None
    allowed(caller, ask.type, "update")
    query, existing = await the_one(server, caller, ask, ask.query, gone)
    return Target(existing.key.id, query, existing) if existing else None


def _links(making: Sequence[Step], targets: Mapping[int, Target]) -> dict[str, str]:
    """Return the literal reference of each entry by its fullUrl. Raises `BadRequest` for one
    twice.
    """
    links: dict[str, str] = {}
    for step in making:
        id = _id(step, targets)
        if not step.ask.fullurl or not id:
            continue
        if step.ask.fullurl in links:
            raise at(step.place, BadRequest("Another entry has the same fullUrl."))
        links[step.ask.fullurl] = str(Key(step.ask.type, id))
    return links


def _id(step: Step, targets: Mapping[int, Target]) -> str:
    target = targets.get(step.place)
    return target.id if target else step.ask.id


async def _looked_up(
    server: Server,
    caller: Caller,
    making: Sequence[Step],
    targets: Mapping[int, Target],
    given: tuple[Mapping[str, Ids], Breath],
) -> dict[str, str]:
    """Return what conditional references mean. Raises `PreconditionFailed` where it is not one
    record.
    """
    gone, breath = given
    links: dict[str, str] = {}
    brought: dict[str, Candidates] = {}
    for step in making:
        await breath.take()
        for text in sorted(references.conditional([step.ask.body]) - links.keys()):
            type = text.partition("?")[0]
            if type not in server.definitions.resource_types:
                raise at(step.place, BadRequest(f"{type[:64]!r} is not a resource type."))
            if type not in brought:
                brought[type] = _brought(server, caller, making, targets, type)
            updates = (each for each in making if _is_update(each, type))
            changed = {Key(type, _id(each, targets)) for each in updates}
            most = 1 + len(changed)
            meant = replace(step.ask, type=type)
            work = matching(server, caller, meant, text, without=gone[type], most=most)
            found = await under(step.place, work)
            keys = {version.key for version in found.versions} - changed
            keys |= {each.key for each in await brought[type].matching(server, found.query)}
            if len(keys) != 1:
                told = "Several records match" if keys else "Nothing matches"
                raise at(step.place, PreconditionFailed(f"{told} the reference {text[:200]!r}."))
            links[text] = str(keys.pop())
    return links


def _is_update(step: Step, type: str) -> bool:
    return step.ask.name == "update" and step.ask.type == type


def _brought(
    server: Server,
    caller: Caller,
    making: Sequence[Step],
    targets: Mapping[int, Target],
    type: str,
) -> Candidates:
    """Return the records of a type that entries bring, before their own references are settled."""
    found: list[Plain] = []
    for step in making:
        id = _id(step, targets)
        if step.ask.type != type or step.ask.name == "patch" or not id:
            continue
        if _is_found(step, targets):
            continue
        try:
            resource = decode(step.ask, step.ask.body) | {"id": id}
        except HubError:
            continue  # told when it is drafted
        if server.checks.problems(server.validator, caller, resource):
            continue  # so are these
        entries = (*server.extractor.entries(resource), Entry("_owner", caller.organization))
        key = Key(type, id)
        patients = server.extractor.patients(key, entries)
        text = server.extractor.text(resource)
        found.append(Plain(key, caller.now, entries, patients, text))
    return Candidates(found)


def _linked(ask: Interaction, links: Mapping[str, str]) -> Interaction:
    if not links or not ask.body:
        return ask
    base = references.base_of(ask.fullurl, ask.type)
    return replace(ask, body=references.rewrite(ask.body, links, base))
