"""Two requests at the same moment: one wins, the other is told what is legal now."""

import asyncio
import random

import pytest
from referral_city import City

from fhir_server.errors import Conflict, PreconditionFailed
from fhir_server.interactions.interaction import Reply
from fhir_server.model import Key
from fhir_server.store.memory import MemoryStore

pytestmark = pytest.mark.anyio


class Interleaved(MemoryStore):
    """A memory store that lets others in before it answers: how often, is drawn."""

    async def read(self, key, vid=None):
        await self.wait()
        return await super().read(key, vid)

    async def search(self, query):
        await self.wait()
        return await super().search(query)

    async def wait(self):
        for _ in range(self.draw.randrange(5)):
            await asyncio.sleep(0)


@pytest.fixture(params=range(12))
async def busy(request, city: City) -> City:
    city.store.__class__ = Interleaved
    city.store.draw = random.Random(request.param)
    return city


async def both(*requests) -> tuple[list[Reply], list[BaseException]]:
    done = await asyncio.gather(*requests, return_exceptions=True)
    won = [each for each in done if isinstance(each, Reply)]
    return won, [each for each in done if not isinstance(each, Reply)]


async def test_of_two_acceptances_one_wins(busy: City):
    papers = await busy.sent()
    won, [lost] = await both(*(busy.do("clinic", "accept", papers.task) for _ in range(2)))

    assert len(won) == 1
    assert isinstance(lost, Conflict)
    assert "accepted" in str(lost)
    assert "start (to in-progress)" in str(lost)


async def test_the_loser_with_if_match_gets_412(busy: City):
    papers = await busy.sent()
    won, [lost] = await both(
        *(busy.do("clinic", "accept", papers.task, if_match=2) for _ in range(2))
    )

    assert len(won) == 1
    assert isinstance(lost, PreconditionFailed)


async def test_of_two_put_acceptances_one_wins(busy: City):
    papers = await busy.sent()
    task = await busy.get("clinic", "Task", papers.task) | {"status": "accepted"}
    won, [lost] = await both(*(busy.put("clinic", task) for _ in range(2)))

    assert len(won) == 1
    assert isinstance(lost, Conflict)


async def test_accepting_and_cancelling_end_as_one_of_them(busy: City):
    papers = await busy.sent()
    reason = {"name": "reason", "valueString": "because"}
    await both(
        busy.do("clinic", "accept", papers.task),
        busy.do("hospital", "cancel", papers.task, reason),
    )
    task = await busy.get("hospital", "Task", papers.task)

    opened = await busy.found("clinic", "Observation")
    assert (task["status"], opened) in [
        ("accepted", ["older", "pressure"]),
        ("cancelled", []),
    ]


@pytest.mark.parametrize("later", [0, 10, 20])
@pytest.mark.parametrize("step", ["send", "accept"])
async def test_a_withdrawal_in_the_same_moment_leaves_nothing_open(busy: City, step, later):
    """Whichever came first: a withdrawn Consent has no open grant."""
    papers = await (busy.draft() if step == "send" else busy.sent())
    who = "hospital" if step == "send" else "clinic"
    consent = await busy.get("patient", "Consent", papers.consent)

    async def withdraw() -> Reply:
        for _ in range(later):
            await asyncio.sleep(0)
        return await busy.put("patient", consent | {"status": "inactive"})

    [*_, withdrawn], _ = await both(busy.do(who, step, papers.task), withdraw())

    assert withdrawn.key == Key("Consent", papers.consent)
    assert await busy.found("clinic", "Observation") == []
    assert await busy.found("clinic", "Patient") == []
