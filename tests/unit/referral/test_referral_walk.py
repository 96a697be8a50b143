"""Whatever anybody tries in whatever order, state and grants stay together.

The rules that must hold after every request, of `docs/referral.md`:

| | open exactly while |
|---|---|
| answer | the referral was sent, and not voided |
| package | it waits or is under way, and the consent is active |
| pull | it was accepted and is under way, and the consent is active |
| return | it was accepted, and not voided |
"""

import asyncio
import contextlib
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from referral_city import City, Papers

from fhir_server.errors import Conflict, Forbidden, NotAllowed, NotFound, Unprocessable
from fhir_server.model import Query
from fhir_server.referral.codes import business_concept
from fhir_server.referral.load import grant_of
from fhir_server.referral.operations import WITHOUT
from fhir_server.referral.states import TABLE, Row, business, state
from fhir_server.search.tree import Cond, Match

UNDER_WAY = {"accepted", "in-progress"}
WAITING = {"requested", "received", "on-hold"}
NAMES = sorted({row.name for row in TABLE} - WITHOUT)
STATUSES = sorted({row.after for row in TABLE if row.after} - {"absent"} | {"ready"})
REASON = {"name": "reason", "valueString": "because"}
NOTE = {"name": "note", "valueString": "seen"}
WHO = st.sampled_from(("hospital", "clinic", "other"))

by_operation = st.tuples(st.just("do"), WHO, st.sampled_from(NAMES), st.booleans())
by_put = st.tuples(
    st.just("put"),
    WHO,
    st.sampled_from(STATUSES),
    st.sampled_from(("", *sorted({row.business for row in TABLE if row.business}))),
)
by_choice = st.tuples(st.just("choose"), WHO, st.integers(0, 20))
withdrawal = st.tuples(st.just("withdraw"))
moves = st.lists(
    st.one_of(by_choice, by_choice, by_choice, by_operation, by_put, withdrawal),
    min_size=1,
    max_size=14,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(("draft", "sent", "accepted")), moves)
def test_grants_follow_the_state(start: str, made: list[tuple]):
    asyncio.run(_walk(start, made))


def test_every_step_from_every_state():
    """Each row of the table that a party may take, from each state that can be reached."""
    taken = asyncio.run(_explore())

    assert taken == {row.name for row in TABLE if row.actor != "hub"} - WITHOUT


async def _explore() -> set[str]:
    paths: list[tuple[tuple[str, str], ...]] = [()]
    known = set()
    for path in paths:
        city, papers, passed = await _replayed(path)
        here = await _task(city, papers)
        assert await _open(city, papers) == await _expected(city, papers, passed), path
        if (state(here), business(here)) in known:
            continue
        known.add((state(here), business(here)))
        for who in ("hospital", "clinic"):
            with contextlib.suppress(NotFound):
                paths += [(*path, (who, name)) for name in await city.actions(who, papers.task)]
    return {path[-1][1] for path in paths if path}


async def _replayed(path: Iterable[tuple[str, str]]) -> tuple[City, Papers, list[str]]:
    city = City()
    await city.fill()
    papers = await city.draft()
    passed = ["draft"]
    for who, name in path:
        reason = [REASON] if any(row.reason for row in TABLE if row.name == name) else []
        given = reason or ([NOTE] if name in ("note", "comment", "inform") else [])
        await city.do(who, name, papers.task, *given)
        passed.append((await _task(city, papers))["status"])
    return city, papers, passed


async def _walk(start: str, made: list[tuple]) -> None:
    city = City()
    await city.fill()
    papers = await getattr(city, start)()
    passed = {"draft": ["draft"], "sent": ["requested"], "accepted": ["requested", "accepted"]}[
        start
    ]
    for move in made:
        before = await _task(city, papers)
        await _try(city, papers, move)
        after = await _task(city, papers)
        if after["meta"]["versionId"] != before["meta"]["versionId"]:
            assert any(_leads(row, before, after) for row in TABLE)
            passed.append(after["status"])
        assert await _open(city, papers) == await _expected(city, papers, passed)


async def _task(city: City, papers: Papers) -> dict:
    return await city.get("operator", "Task", papers.task)


async def _try(city: City, papers: Papers, move: tuple) -> None:
    try:
        match move:
            case ("do", who, name, reasoned):
                await city.do(who, name, papers.task, *([REASON] if reasoned else []))
            case ("choose", who, number):
                names = await city.actions(who, papers.task)
                if names:
                    await city.do(who, names[number % len(names)], papers.task, REASON)
            case ("put", who, status, code):
                task = await _task(city, papers)
                named = {"businessStatus": business_concept(code)} if code else {}
                reason = {"statusReason": {"text": "because"}}
                await city.put(who, task | {"status": status} | named | reason)
            case _:
                await city.withdraw(papers)
    except (Conflict, Forbidden, NotAllowed, NotFound, Unprocessable):
        return


def _leads(row: Row, before: dict, after: dict) -> bool:
    here = state(before) in row.before and (not row.during or business(before) in row.during)
    there = state(after) == row.target(state(before))
    return here and there and row.business in ("", business(after))


async def _open(city: City, papers: Papers) -> set[str]:
    where = Match("until", (Cond("v", ">", city.now),))
    page = await city.store.search(Query("grant", where, limit=100, now=city.now))
    kinds = set()
    for version in page.versions:
        grant = grant_of(version.body)
        of_consent = grant.source == f"Consent/{papers.consent}"
        by_rule = bool(grant.rule)
        kinds.add(
            {
                (False, False): "answer",
                (True, False): "package",
                (True, True): "pull",
                (False, True): "return",
            }[of_consent, by_rule]
        )
    return kinds


async def _expected(city: City, papers: Papers, passed: list[str]) -> set[str]:
    now = passed[-1]
    consent = await city.get("operator", "Consent", papers.consent)
    active = consent["status"] == "active"
    sent = "requested" in passed and now != "entered-in-error"
    accepted = "accepted" in passed and now != "entered-in-error"
    kinds = {
        "answer": sent,
        "package": active and now in WAITING | UNDER_WAY,
        "pull": active and now in UNDER_WAY,
        "return": accepted,
    }
    return {kind for kind, is_open in kinds.items() if is_open}
