"""Long work lets others' small requests come between."""

import asyncio
import itertools

import pytest

from fhir_server.errors import TooCostly
from fhir_server.interactions import breath
from fhir_server.interactions.breath import Breath, aside


def many(kind, count=600):
    resource = {"resourceType": "Basic", "code": {"text": "x"}}
    entry = {"resource": resource, "request": {"method": "POST", "url": "Basic"}}
    return {"resourceType": "Bundle", "type": kind, "entry": [entry] * count}


LARGE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": f"http://a.test/Basic/{n}",
            "resource": {"resourceType": "Basic", "id": str(n), "code": {"text": "x"}},
        }
        for n in range(1500)
    ],
}


@pytest.mark.parametrize(
    ("path", "body"),
    [("", many("batch")), ("", many("transaction")), ("Bundle", LARGE)],
    ids=["batch", "transaction", "one large resource"],
)
def test_a_small_read_overtakes_a_large_request(make_hub, path, body):
    hub = make_hub()
    hub.put_in({"resourceType": "Patient", "id": "p1"})

    async def run():
        ended = []

        async def ask(name, *request):
            answer = await hub.ask(*request)
            ended.append(name)
            return answer.status_code

        large = asyncio.create_task(ask("large", "POST", path, body))
        await asyncio.sleep(0)
        await ask("small", "GET", "Patient/p1")
        return await large, ended

    status, ended = hub.run(run())

    assert status in (200, 201)
    assert ended == ["small", "large"]


@pytest.fixture
def short(monkeypatch):
    """Let the time be used up at the fourth look at it; each breath looks."""
    looks = itertools.count(1)
    monkeypatch.setattr(breath, "_AT_A_TIME", -1.0)
    monkeypatch.setattr(Breath, "is_over", property(lambda _: next(looks) > 3))


def test_time_that_is_used_up_ends_a_transaction(make_hub, short):
    hub = make_hub()

    answer = hub.post("", many("transaction", 10))

    assert answer.status_code == 503
    assert answer.json()["issue"][0]["code"] == "too-costly"
    assert hub.ids("Basic") == []


def test_time_that_is_used_up_is_told_in_the_rest_of_a_batch(make_hub, short):
    hub = make_hub()

    told = hub.post("", many("batch", 5)).json()["entry"]

    statuses = [each["response"]["status"][:3] for each in told]
    assert statuses == ["201", "201", "201", "503", "503"]


@pytest.mark.parametrize("path", ["Basic", "Basic/_history", "_history"])
def test_time_that_is_used_up_ends_a_search_and_a_history(make_hub, monkeypatch, path):
    hub = make_hub(settings={"request_seconds": 0})

    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(hub.server.store, "search", never)
    monkeypatch.setattr(hub.server.store, "history", never)

    answer = hub.get(path)

    assert answer.status_code == 503
    assert answer.json()["issue"][0]["code"] == "too-costly"


def test_a_breath_is_taken_only_when_it_is_time(monkeypatch):
    times = iter((0.0, 0.001, 0.002, 10.0, 11.0, 12.0))
    monkeypatch.setattr(breath.time, "perf_counter", lambda: next(times, 12.0))
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(breath.asyncio, "sleep", sleep)

    async def run():
        breathing = Breath(seconds=5)
        await breathing.take()
        assert slept == []
        with pytest.raises(TooCostly):
            await breathing.take()

    asyncio.run(run())


@pytest.mark.parametrize("size", [0, 10_000_000])
def test_work_aside_returns_and_raises_as_it_would_here(size):
    def fail():
        raise KeyError("x")

    assert asyncio.run(aside(size, divmod, 7, 2)) == (3, 1)
    with pytest.raises(KeyError):
        asyncio.run(aside(size, fail))
