"""https://hl7.org/fhir/R4/async.html"""

import asyncio
from dataclasses import replace

import pytest

from fhir_server.authz.scopes import Scope
from fhir_server.interactions import job
from fhir_server.interactions.interaction import Reply
from fhir_server.interactions.server import OperationDefinition

LATER = {"Prefer": "respond-async"}
PATIENT = {"resourceType": "Patient", "id": "p1"}


async def result(hub, place, by="open"):
    for _ in range(200):
        answer = await hub.ask("GET", place, by=by)
        if answer.status_code != 202:
            return answer
        await asyncio.sleep(0.005)
    raise AssertionError("the job does not end")


def later(hub, method, path, body=None, by="open", headers=LATER):
    async def run():
        kicked = await hub.ask(method, path, body, by=by, headers=headers)
        assert kicked.status_code == 202, kicked.text
        return kicked, await result(hub, kicked.headers["Content-Location"], by)

    return hub.run(run())


def test_the_answer_is_a_place_to_ask_again(hub):
    """ "HTTP Status Code of 202 Accepted; Content-Location header with the absolute URL of an
    endpoint for subsequent status requests." """
    kicked, _ = later(hub, "GET", "Patient")

    assert kicked.headers["Content-Location"].startswith("http://hub.test/fhir/_job/")
    assert kicked.headers["Preference-Applied"] == "respond-async"


def test_the_result_is_the_answer_in_a_bundle(hub):
    hub.put_in(PATIENT)

    _, done = later(hub, "GET", "Patient?_id=p1")

    assert done.status_code == 200
    assert "Expires" in done.headers
    bundle = done.json()
    assert bundle["type"] == "batch-response"
    [entry] = bundle["entry"]
    assert entry["response"]["status"] == "200 OK"
    assert entry["resource"]["entry"][0]["resource"]["id"] == "p1"


def test_a_write_is_done_once_and_told(hub):
    _, done = later(hub, "POST", "Patient", {"resourceType": "Patient"})

    [entry] = done.json()["entry"]
    assert entry["response"]["status"].startswith("201")
    assert len(hub.ids("Patient")) == 1


def test_a_transaction_is_done_later(hub):
    request = {"method": "POST", "url": "Patient"}
    entries = [{"resource": {"resourceType": "Patient"}, "request": request}] * 3
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    _, done = later(hub, "POST", "", body)

    assert done.json()["entry"][0]["resource"]["type"] == "transaction-response"
    assert len(hub.ids("Patient")) == 3


def test_a_refusal_is_told_in_the_result(hub):
    _, done = later(hub, "GET", "Patient/nobody")

    [entry] = done.json()["entry"]
    assert entry["response"]["status"].startswith("404")
    assert entry["response"]["outcome"]["issue"][0]["code"] == "not-found"


@pytest.fixture
def gated(make_hub):
    """A hub with an operation that waits until `gate` is set."""
    gate = asyncio.Event()

    async def wait(server, caller, ask):
        await gate.wait()
        return Reply(200, b'{"resourceType":"Parameters"}')

    hub = make_hub(operations=(OperationDefinition("wait", (), "system", wait),))
    return hub, gate


def test_a_job_that_goes_on_is_202_with_its_progress(gated):
    hub, gate = gated

    async def run():
        kicked = await hub.ask("GET", "$wait", headers=LATER)
        place = kicked.headers["Content-Location"]
        going_on = await hub.ask("GET", place)
        gate.set()
        return going_on, await result(hub, place)

    going_on, done = hub.run(run())

    assert going_on.status_code == 202
    assert going_on.headers["X-Progress"].startswith("operation")
    assert going_on.headers["Retry-After"] == "1"
    assert done.status_code == 200


def test_a_job_that_was_given_up_is_not_there(gated):
    """ "DELETE … 202; subsequent status requests SHALL be 404." """
    hub, gate = gated

    async def run():
        kicked = await hub.ask("GET", "$wait", headers=LATER)
        place = kicked.headers["Content-Location"]
        await asyncio.sleep(0)
        cancelled = await hub.ask("DELETE", place)
        gone = await hub.ask("GET", place)
        gate.set()
        await asyncio.sleep(0.01)
        return cancelled, gone, await hub.ask("GET", place), len(hub.server.background)

    cancelled, gone, still_gone, left = hub.run(run())

    assert cancelled.status_code == 202
    assert gone.status_code == still_gone.status_code == 404
    assert left == 0


def test_a_job_whose_process_ended_is_told_to_be_lost(gated):
    hub, _ = gated

    async def run():
        kicked = await hub.ask("GET", "$wait", headers=LATER)
        await hub.server.background.close()
        hub.clock.now += 100_000
        return await hub.ask("GET", kicked.headers["Content-Location"])

    answer = hub.run(run())

    assert answer.status_code == 500
    assert "ask again" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("other", ["nurse", "operator", "open", "admin", "narrower"])
def test_only_who_asked_sees_it(hub, other):
    asker = hub.callers["physician"]
    hub.callers["narrower"] = replace(asker, scopes=(Scope("user", "Patient", "r"),))
    hub.callers["same"] = asker
    kicked, _ = later(hub, "GET", "Patient", by="physician")
    place = kicked.headers["Content-Location"]

    hidden, absent = hub.get(place, by=other), hub.get("_job/nothing", by=other)

    assert hidden.status_code == absent.status_code == 404
    assert hub.delete(place, by=other).status_code == 404
    assert hub.get(place, by="same").status_code == 200


def test_a_result_is_forgotten_after_its_time(hub):
    kicked, _ = later(hub, "GET", "Patient")
    hub.clock.now += 25 * 3_600_000

    later(hub, "GET", "Patient")

    assert hub.get(kicked.headers["Content-Location"]).status_code == 404


def test_too_many_jobs_are_told_to_wait(gated, monkeypatch):
    hub, _ = gated
    monkeypatch.setattr(job, "_MOST_WAITING", 1)

    async def run():
        await hub.ask("GET", "$wait", headers=LATER)
        return await hub.ask("GET", "$wait", headers=LATER)

    assert hub.run(run()).status_code == 503


def test_a_job_is_no_record_of_fhir(hub):
    kicked, _ = later(hub, "GET", "Patient")
    id = kicked.headers["Content-Location"].rpartition("/")[2]

    assert hub.get(f"job/{id}").status_code == 404
    assert hub.get("_history").json()["total"] == 0


def test_the_other_preferences_hold_for_the_result(hub):
    body = {"resourceType": "Patient"}
    headers = {"Prefer": "respond-async, return=minimal"}

    _, done = later(hub, "POST", "Patient", body, headers=headers)

    assert "resource" not in done.json()["entry"][0]
