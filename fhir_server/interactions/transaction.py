"""FHIR transaction interaction: all entries or none, in one commit.

https://hl7.org/fhir/R4/http.html#transaction

1. Entries are taken in the order DELETE, POST, PUT and PATCH, GET; a record occurs once among them.
2. All are planned (`planning`), then approved: each sees the others as if they were written.
3. Operations that change something come next, on what will have been written.
4. One commit. If another request was faster, all of it is done again, a bounded number of times.
5. Reads see what was written; one that would fail refuses the whole before anything is written.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.errors import HubError
from fhir_server.interactions.breath import Breath, aside
from fhir_server.interactions.bundle import answered, bundle
from fhir_server.interactions.commit import answer, answer_deleted, commit, concerned, persist
from fhir_server.interactions.entries import Step, at, steps
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.operation import changes_something
from fhir_server.interactions.outcome import refusal
from fhir_server.interactions.pending import Pending
from fhir_server.interactions.planning import plan_all, under
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import Draft, approve
from fhir_server.model import Key, Version

_ORDER = {"delete": 0, "create": 1, "update": 2, "patch": 2}

Run = Callable[[Server, Caller, Interaction], Awaitable[Reply]]


async def transaction(server: Server, caller: Caller, ask: Interaction, run: Run) -> Reply:
    """Write all entries or none, and answer each in its place. Raises for the first that is
    refused.
    """
    breath = Breath(server.settings.request_seconds)
    todo = await aside(len(ask.body), steps, server, ask)
    for step in todo:
        if step.fault is not None:
            raise at(step.place, step.fault)
    changing = sorted((s for s in todo if s.ask.name in _ORDER), key=lambda s: _ORDER[s.ask.name])
    rest = [step for step in todo if step.ask.name not in _ORDER]
    acting = [step for step in rest if changes_something(server, step.ask)]
    reading = [step for step in rest if step not in acting]

    async def attempt() -> Reply:
        return await _attempt(server, caller, ask, (changing, acting, reading), (run, breath))

    return await persist(server, attempt, [step.ask.key for step in changing if step.ask.id])


async def _attempt(
    server: Server,
    caller: Caller,
    ask: Interaction,
    todo: tuple[Sequence[Step], Sequence[Step], Sequence[Step]],
    how: tuple[Run, Breath],
) -> Reply:
    changing, acting, reading = todo
    run, breath = how
    pending = Pending(server.store, caller.now)
    ahead = replace(server, store=pending)
    plans = await plan_all(server, caller, changing, breath)
    made = [(place, each) for place, some in plans.drafts.items() for each in some]
    await pending.add(each.write for _, each in made)
    for place, each in made:
        await pending.add(await under(place, approve(ahead, caller, each)))
        await breath.take()
    replies = plans.replies | await _all(ahead, caller, acting, run)
    seen = await _all(ahead, caller, reading, run)
    latest: dict[Key, Version] = {}
    if pending.writes:
        told = [reply.patients for reply in (*replies.values(), *seen.values())]
        told += [each.before.patients for _, each in made if each.before]
        versions = await commit(server, caller, ask, pending.writes, 200, told=told)
        latest = {version.key: version for version in versions}
        seen = await _seen(server, caller, reading, run)
    replies |= {
        step.place: _answer(step, plans.drafts[step.place], latest)
        for step in changing
        if step.place in plans.drafts
    }
    return _response(ask, replies | seen, audited=bool(pending.writes))


def _answer(step: Step, drafts: Sequence[Draft], latest: Mapping[Key, Version]) -> Reply:
    if step.ask.name == "delete":
        return answer_deleted(step.ask, [latest[made.key] for made in drafts])
    [made] = drafts
    return answer(made, latest[made.key])


async def _all(server: Server, caller: Caller, some: Sequence[Step], run: Run) -> dict[int, Reply]:
    return {
        step.place: step.told(await under(step.place, run(server, caller, step.ask)))
        for step in some
    }


async def _seen(server: Server, caller: Caller, some: Sequence[Step], run: Run) -> dict[int, Reply]:
    """Do the reads after the commit: what fails now is told in its entry, since all is written."""
    replies: dict[int, Reply] = {}
    for step in some:
        try:
            replies[step.place] = step.told(await run(server, caller, step.ask))
        except HubError as fault:
            replies[step.place] = Reply(fault.status, refusal(fault))
    return replies


def _response(ask: Interaction, replies: Mapping[int, Reply], *, audited: bool) -> Reply:
    entries = [answered(ask.base, replies[place]) for place in sorted(replies)]
    patients = concerned(reply.patients for reply in replies.values())
    body = bundle("transaction-response", entries, links=[("self", ask.base)])
    return Reply(200, body, patients=patients, audited=audited)
