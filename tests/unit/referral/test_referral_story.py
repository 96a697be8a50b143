"""Steps 3 to 5 of the story, through `perform` on both stores."""

from dataclasses import replace

import pytest
from referral_city import DAY, DOWN, FULLURLS, REASON, RECORD, City, Papers

from fhir_server import fhirjson
from fhir_server.errors import Conflict, HubError, NotFound
from fhir_server.interactions.perform import perform
from fhir_server.referral.compose import compose
from fhir_server.referral.worklist import worklist

pytestmark = pytest.mark.anyio


@pytest.fixture
def city(kept: City) -> City:
    return kept


ANSWER = {"Task", "ServiceRequest"}
PACKAGE = {"Patient/li", "Condition/hypertension", "Observation/pressure"}
PULL = {"Observation/older"}


def answer(papers: Papers) -> set[str]:
    return {f"Task/{papers.task}", f"ServiceRequest/{papers.request}"}


def package(papers: Papers) -> set[str]:
    return PACKAGE | {f"Consent/{papers.consent}"}


async def test_a_draft_is_nobodys_but_the_senders(city: City):
    await city.draft()

    assert await city.seen("clinic") == set()


async def test_sending_opens_the_package_only(city: City):
    papers = await city.sent()

    assert await city.seen("clinic") == answer(papers) | package(papers)


async def test_the_worklist_shows_patient_and_request(city: City):
    papers = await city.sent()

    reply = await perform(city.server, await city.caller("clinic"), worklist("incoming", "clinic"))

    entries = fhirjson.decode(reply.body)["entry"]
    assert {each["resource"]["resourceType"] for each in entries} == ANSWER | {"Patient"}
    assert entries[0]["resource"]["id"] == papers.task


async def test_accepting_opens_the_pull_on_the_next_request(city: City):
    papers = await city.accepted()

    assert await city.seen("clinic") == answer(papers) | package(papers) | PULL


async def test_a_second_clinic_sees_nothing(city: City):
    await city.accepted()

    assert await city.seen("other") == set()


async def test_the_sender_sees_what_the_receiver_records_after_acceptance(city: City):
    papers = await city.sent()
    visit = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "visit"},
        "subject": {"reference": "Patient/li"},
    }
    made = await city.post("clinic", visit)
    before = await city.found("hospital", "Observation")
    await city.do("clinic", "accept", papers.task)

    assert made["id"] not in before
    assert made["id"] in await city.found("hospital", "Observation")


async def test_withdrawal_leaves_the_receiver_its_own_and_the_referral(city: City):
    papers = await city.accepted()
    visit = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "visit"},
        "subject": {"reference": "Patient/li"},
    }
    made = await city.post("clinic", visit)
    await city.withdraw(papers)

    assert await city.seen("clinic") == answer(papers) | {f"Observation/{made['id']}"}


async def test_completing_ends_the_receivers_access_and_the_request(city: City):
    papers = await city.accepted()
    await city.do("clinic", "start", papers.task)
    await city.do("clinic", "complete", papers.task, {"name": "note", "valueString": "稳定"})

    assert await city.seen("clinic") == answer(papers)
    request = await city.get("clinic", "ServiceRequest", papers.request)
    assert request["status"] == "completed"


@pytest.mark.parametrize(
    ("who", "step", "status"),
    [
        ("clinic", "decline", "active"),
        ("hospital", "cancel", "revoked"),
        ("clinic", "fail", "active"),
    ],
)
async def test_every_other_end_closes_too(city: City, who, step, status):
    papers = await city.accepted()
    await city.do(who, step, papers.task, REASON)

    assert await city.seen("clinic") == answer(papers)
    assert (await city.get("hospital", "ServiceRequest", papers.request))["status"] == status


async def test_voiding_leaves_nothing(city: City):
    papers = await city.sent()
    await city.do("hospital", "void", papers.task, REASON)

    assert await city.seen("clinic") == set()


async def test_access_ends_with_the_restriction_period(city: City):
    papers = await city.accepted()
    city.now += 62 * DAY

    assert await city.seen("clinic") == answer(papers)


async def test_access_ends_with_the_consent(city: City):
    papers = await city.accepted(replace(DOWN, deadline="", until="2026-06-10"))
    city.now += 20 * DAY

    assert await city.seen("clinic") == answer(papers)


async def test_a_hidden_task_is_not_found_by_an_operation(city: City):
    papers = await city.sent()

    with pytest.raises(NotFound):
        await city.do("other", "accept", papers.task)


async def test_one_transaction_may_send_at_once(city: City):
    bundle = compose(DOWN, FULLURLS)
    bundle["entry"][2]["resource"]["status"] = "requested"
    papers = Papers(*await city.transaction("hospital", bundle))

    assert await city.seen("clinic") == answer(papers) | package(papers)
    request = await city.get("clinic", "ServiceRequest", papers.request)
    task = await city.get("clinic", "Task", papers.task)
    assert request["status"] == "active"
    assert request["identifier"] == task["identifier"]
    assert task["businessStatus"]["coding"][0]["code"] == "created"


async def by_put(city: City, task: dict) -> None:
    await city.put("clinic", task)


async def by_patch(city: City, task: dict) -> None:
    patch = [{"op": "replace", "path": "/status", "value": task["status"]}]
    await city.ask("clinic", "patch", "Task", task["id"], body=patch)


async def by_transaction(city: City, task: dict) -> None:
    request = {"method": "PUT", "url": f"Task/{task['id']}"}
    entry = {"resource": task, "request": request}
    await city.transaction(
        "clinic", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    )


async def by_operation(city: City, task: dict) -> None:
    await city.do("clinic", "complete", task["id"])


PATHS = [by_put, by_patch, by_transaction, by_operation]


@pytest.mark.parametrize("path", PATHS)
async def test_an_illegal_step_names_the_legal_ones_by_every_path(city: City, path):
    papers = await city.sent()
    task = await city.get("clinic", "Task", papers.task)

    with pytest.raises(Conflict) as refused:
        await path(city, task | {"status": "completed"})

    assert "receive (to received), accept (to accepted), decline" in str(refused.value)
    assert await city.get("clinic", "Task", papers.task) == task


@pytest.mark.parametrize("path", PATHS[:3])
async def test_a_legal_step_is_the_same_by_every_path(city: City, path):
    papers = await city.sent()
    task = await city.get("clinic", "Task", papers.task)
    await path(city, task | {"status": "accepted"})

    after = await city.get("clinic", "Task", papers.task)
    assert after["businessStatus"]["coding"][0]["code"] == "accepted"
    assert await city.found("clinic", "Observation") == ["older", "pressure"]


async def test_every_step_leaves_a_provenance(city: City):
    papers = await city.accepted()
    reply = await city.ask("hospital", "search-type", "Provenance")
    told = [each["resource"] for each in fhirjson.decode(reply.body)["entry"]]
    steps = {each["activity"]["coding"][0]["code"]: each["target"][0]["reference"] for each in told}

    assert steps == {
        "create": f"Task/{papers.task}/_history/1",
        "send": f"Task/{papers.task}/_history/2",
    }


async def test_the_receivers_provenance_names_who_accepted(city: City):
    papers = await city.accepted()
    reply = await city.ask("clinic", "search-type", "Provenance")
    [told] = [each["resource"] for each in fhirjson.decode(reply.body)["entry"]]

    assert told["target"] == [{"reference": f"Task/{papers.task}/_history/3"}]
    assert told["agent"][0]["who"]["reference"] == "Practitioner/clinic"
    assert told["agent"][0]["onBehalfOf"] == {"reference": "Organization/clinic"}


async def test_all_that_the_hub_writes_is_valid(city: City):
    papers = await city.accepted()
    await city.do("clinic", "decline", papers.task, REASON)
    written = [each async for each in city.store.scan() if each.key.type[0].isupper()]
    issues = {
        str(each.key): city.server.validator.validate(fhirjson.resource(each)) for each in written
    }

    assert len(issues) > len(RECORD)
    assert not any(issues.values()), issues


async def test_actions_are_the_callers(city: City):
    papers = await city.sent()

    assert await city.actions("clinic", papers.task) == [
        *("receive", "accept", "decline", "redirect", "hold", "note")
    ]
    assert await city.actions("hospital", papers.task) == ["comment", "cancel", "void"]


async def test_a_refused_reason_names_the_field(city: City):
    papers = await city.sent()

    with pytest.raises(HubError) as refused:
        await city.do("clinic", "decline", papers.task)

    assert refused.value.status == 422
    assert [each.expression for each in refused.value.issues] == ["Task.statusReason"]
