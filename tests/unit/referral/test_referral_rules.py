"""What the write rules of Task and ServiceRequest refuse."""

from dataclasses import replace

import pytest
from referral_city import DAY, DOWN, FULLURLS, REASON, City, Papers

from fhir_server.errors import Conflict, HubError, Unprocessable
from fhir_server.referral.codes import BASE
from fhir_server.referral.compose import compose

pytestmark = pytest.mark.anyio


def patched(place: int, bundle: dict, **changes) -> dict:
    bundle["entry"][place]["resource"] |= changes
    return bundle


async def refusal(work) -> HubError:
    with pytest.raises(HubError) as refused:
        await work
    return refused.value


LACKING = {
    "no receiver": (2, {"owner": None}, "Where to?"),
    "no patient": (2, {"for": None}, "Whom is it about?"),
    "a record that is not for staff": (
        1,
        {"supportingInfo": [{"reference": FULLURLS.consent}, {"reference": "AuditEvent/1"}]},
        "There is no AuditEvent/1",
    ),
    "a deadline that is over": (
        2,
        {"restriction": {"period": {"end": "2026-01-31"}}},
        "restriction.period is over",
    ),
    "own institution": (2, {"owner": {"reference": "Organization/hospital"}}, "refer to itself"),
    "another's task": (2, {"for": {"reference": "Patient/zhang"}}, "must be the same Patient"),
    "another's request": (
        1,
        {"subject": {"reference": "Patient/zhang"}},
        "must be the same Patient",
    ),
    "no consent": (1, {"supportingInfo": None}, "the one Consent"),
    "another's observation": (
        1,
        {"supportingInfo": [{"reference": FULLURLS.consent}, {"reference": "Observation/zhangs"}]},
        "Observation/zhangs is not of this patient",
    ),
    "an unknown record": (
        1,
        {"supportingInfo": [{"reference": FULLURLS.consent}, {"reference": "Observation/no"}]},
        "There is no Observation/no",
    ),
    "a record elsewhere": (
        1,
        {
            "supportingInfo": [
                {"reference": FULLURLS.consent},
                {"reference": "http://else.where/fhir/Observation/1"},
            ]
        },
        "There is no http://else.where",
    ),
    "a revoked request": (1, {"status": "revoked"}, "draft was expected"),
    "a proposed consent": (0, {"status": "proposed"}, "active was expected"),
    "another's consent": (0, {"patient": {"reference": "Patient/zhang"}}, "not of this patient"),
}


def without_nulls(bundle: dict) -> dict:
    for entry in bundle["entry"]:
        kept = {name: value for name, value in entry["resource"].items() if value is not None}
        entry["resource"] = kept
    return bundle


@pytest.mark.parametrize("case", LACKING, ids=str)
async def test_sending_names_what_is_missing(city: City, case):
    place, changes, words = LACKING[case]
    bundle = without_nulls(patched(place, compose(DOWN, FULLURLS), **changes))
    papers = Papers(*await city.transaction("hospital", bundle))

    refused = await refusal(city.do("hospital", "send", papers.task))

    assert refused.status == 422
    assert any(words in issue.diagnostics for issue in refused.issues), refused


async def test_a_consent_that_does_not_name_the_receiver_carries_nothing(city: City):
    bundle = compose(DOWN, FULLURLS)
    actor = bundle["entry"][0]["resource"]["provision"]["actor"][0]
    actor["reference"] = {"reference": "Organization/other"}
    papers = Papers(*await city.transaction("hospital", bundle))

    refused = await refusal(city.do("hospital", "send", papers.task))

    assert "lets the receiver see nothing" in str(refused)


async def test_a_consent_that_is_over_carries_nothing(city: City):
    papers = await city.draft(replace(DOWN, until="2026-05-01", written="2026-04-01"))

    refused = await refusal(city.do("hospital", "send", papers.task))

    assert "period does not cover" in str(refused)


async def test_what_the_sender_cannot_see_is_not_there(city: City):
    """A package never carries what its sender may not read, nor tells whether it exists."""
    hidden = {
        "resourceType": "Observation",
        "id": "hidden",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/li"},
    }
    await city.put("operator", hidden)
    papers = await city.draft(replace(DOWN, package=("Observation/hidden",)))

    refused = await refusal(city.do("hospital", "send", papers.task))

    assert [each.diagnostics for each in refused.issues] == ["There is no Observation/hidden."]


async def onward(city: City, task: str, to: str = "other") -> dict:
    """Return the clinic's own draft about the ServiceRequest that it received."""
    sent = await city.get("clinic", "Task", task)
    kept = {name: sent[name] for name in ("resourceType", "intent", "code", "focus", "for")}
    owner = {"reference": f"Organization/{to}"}
    return kept | {"requester": sent["owner"], "owner": owner, "status": "draft"}


async def test_another_institutions_request_is_not_sent(city: City):
    """Otherwise its receiver could abandon a draft of its own, and revoke the request by that."""
    papers = await city.sent()

    refused = await refusal(city.post("clinic", await onward(city, papers.task)))

    assert refused.status == 422
    assert "not one of the requester's institution" in str(refused)


async def test_a_hidden_request_is_refused_as_an_absent_one(city: City):
    papers = await city.sent()
    task = await onward(city, papers.task) | {"requester": {"reference": "Organization/other"}}
    absent = task | {"focus": {"reference": "ServiceRequest/no"}}

    hidden = await refusal(city.post("other", task))
    unknown = await refusal(city.post("other", absent))

    assert hidden.status == unknown.status == 422
    assert str(hidden).replace(papers.request, "no") == str(unknown)


async def test_giving_up_a_second_draft_leaves_the_request_under_way(city: City):
    papers = await city.sent()
    task = await city.get("hospital", "Task", papers.task)
    second = {name: task[name] for name in ("resourceType", "intent", "code", "focus", "for")}
    parties = {"requester": task["requester"], "owner": task["owner"]}
    made = await city.post("hospital", second | parties | {"status": "draft"})

    await city.do("hospital", "abandon", made["id"])

    request = await city.get("hospital", "ServiceRequest", papers.request)
    assert request["status"] == "active"


async def test_a_referral_is_not_accepted_after_its_time(city: City):
    papers = await city.sent(replace(DOWN, deadline="2026-06-01"))
    city.now += 10 * DAY

    refused = await refusal(city.do("clinic", "accept", papers.task))

    assert refused.status == 409
    assert "restriction.period is over" in str(refused)


async def test_a_departments_records_are_its_institutions(city: City):
    """A ward of the clinic receives; what its staff records belongs to the clinic."""
    ward = {
        "resourceType": "Organization",
        "id": "ward",
        "name": "Ward",
        "partOf": {"reference": "Organization/clinic"},
    }
    await city.put("operator", ward)
    papers = await city.draft(replace(DOWN, receiver="Organization/ward"))
    await city.do("hospital", "send", papers.task)
    await city.do("ward", "accept", papers.task)
    visit = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "visit"},
        "subject": {"reference": "Patient/li"},
    }
    made = await city.post("ward", visit)

    assert await city.found("ward", "Observation") == [made["id"], "older", "pressure"]
    assert made["id"] in await city.found("hospital", "Observation")


async def test_a_request_gets_the_referrals_number_and_group(city: City):
    group = {"system": "urn:episode", "value": "e1"}
    bundle = patched(2, compose(DOWN, FULLURLS), groupIdentifier=group)
    papers = Papers(*await city.transaction("hospital", bundle))
    await city.do("hospital", "send", papers.task)

    request = await city.get("hospital", "ServiceRequest", papers.request)
    assert request["requisition"] == group
    assert [each["system"] for each in request["identifier"]] == [f"{BASE}identifier/referral"]


async def test_a_patient_is_no_party(city: City):
    papers = await city.sent()

    refused = await refusal(city.do("patient", "accept", papers.task))

    assert refused.status in (403, 404)


@pytest.mark.parametrize("body", [b'{"resourceType":"Patient"}', b"[]"])
async def test_a_body_that_is_no_parameters_is_refused(city: City, body):
    papers = await city.sent()
    work = city.ask("clinic", "operation", "Task", papers.task, operation="accept", body=body)

    assert (await refusal(work)).status == 400


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_an_operation_needs_no_parameters(city: City, body):
    papers = await city.sent()
    reply = await city.ask(
        "clinic", "operation", "Task", papers.task, operation="accept", body=body
    )

    assert reply.status == 200


async def test_a_reason_may_be_a_code(city: City):
    papers = await city.sent()
    reason = {"coding": [{"system": "urn:reasons", "code": "full"}]}
    given = {"name": "reason", "valueCodeableConcept": reason}
    await city.do("clinic", "decline", papers.task, given)

    assert (await city.get("hospital", "Task", papers.task))["statusReason"] == reason


async def test_a_withdrawn_consent_stops_an_acceptance(city: City):
    papers = await city.sent()
    await city.withdraw(papers)
    task = await city.get("clinic", "Task", papers.task)

    refused = await refusal(city.put("clinic", task | {"status": "accepted"}))

    assert refused.status == 409
    assert "inactive" in str(refused)


async def test_a_request_is_carried_out_once_at_a_time(city: City):
    papers = await city.sent()
    task = await city.get("hospital", "Task", papers.task)
    second = {name: task[name] for name in ("resourceType", "intent", "code", "focus", "for")}
    parties = {"requester": task["requester"], "owner": task["owner"]}
    made = await city.post("hospital", second | parties | {"status": "draft"})

    refused = await refusal(city.do("hospital", "send", made["id"]))

    assert refused.status == 409
    assert papers.task in str(refused)


async def test_a_declined_request_may_be_sent_again(city: City):
    papers = await city.sent()
    await city.do("clinic", "decline", papers.task, REASON)
    task = await city.get("hospital", "Task", papers.task)
    second = {name: task[name] for name in ("resourceType", "intent", "code", "focus", "for")}
    parties = {"requester": task["requester"], "owner": task["owner"]}
    made = await city.post("hospital", second | parties | {"status": "draft"})
    await city.do("hospital", "send", made["id"])

    assert f"Task/{made['id']}" in await city.seen("clinic")


async def test_who_is_not_the_requester_writes_no_referral(city: City):
    bundle = patched(2, compose(DOWN, FULLURLS), requester={"reference": "Organization/other"})

    refused = await refusal(city.transaction("hospital", bundle))

    assert refused.status == 409
    assert "one who is no party" in str(refused)


async def test_a_referral_begins_as_a_draft(city: City):
    refused = await refusal(
        city.transaction("hospital", patched(2, compose(DOWN, FULLURLS), status="accepted"))
    )

    assert refused.status == 409
    assert "create (to draft), send (to requested)" in str(refused)


async def test_a_wrong_field_is_named(city: City):
    papers = await city.sent()
    task = await city.get("clinic", "Task", papers.task)
    changed = {"for": {"reference": "Patient/zhang"}, "priority": "stat"}

    refused = await refusal(city.put("clinic", task | {"status": "accepted"} | changed))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["Task.for", "Task.priority"]


async def test_another_task_is_left_alone(city: City):
    plain = {"resourceType": "Task", "status": "completed", "intent": "order"}
    made = await city.post("hospital", plain)

    changed = await city.put("hospital", made | {"status": "draft"})

    assert changed.status == 200
    assert "businessStatus" not in await city.get("hospital", "Task", made["id"])


async def test_another_task_does_not_become_a_referral(city: City):
    papers = await city.draft()
    task = await city.get("hospital", "Task", papers.task)
    plain = {"resourceType": "Task", "status": "accepted", "intent": "order"}
    made = await city.post("hospital", plain)

    refused = await refusal(
        city.put("hospital", made | {"code": task["code"], "focus": task["focus"]})
    )

    assert refused.status == 422
    assert "does not become a referral" in str(refused)


async def test_a_referral_does_not_stop_being_one(city: City):
    papers = await city.sent()
    task = await city.get("clinic", "Task", papers.task)
    del task["code"]

    refused = await refusal(city.put("clinic", task | {"status": "accepted"}))

    assert [each.expression for each in refused.issues] == ["Task.code"]


async def test_a_task_about_an_unknown_request_is_refused(city: City):
    """Otherwise the request could come later, and make the Task a referral in any state."""
    bundle = compose(DOWN, FULLURLS)
    task = bundle["entry"][2]["resource"] | {"focus": {"reference": "ServiceRequest/no"}}

    refused = await refusal(city.post("hospital", task | {"status": "accepted"}))

    assert refused.status == 422


async def test_an_operation_on_another_task_is_refused(city: City):
    plain = {"resourceType": "Task", "status": "requested", "intent": "order"}
    made = await city.post("hospital", plain)

    with pytest.raises(Unprocessable):
        await city.do("hospital", "accept", made["id"])


async def test_an_unknown_parameter_is_refused(city: City):
    papers = await city.sent()

    refused = await refusal(
        city.do("clinic", "accept", papers.task, {"name": "colour", "valueString": "x"})
    )

    assert (refused.status, refused.issues[0].expression) == (400, "Parameters.parameter[0]")


async def test_output_is_written_by_the_step_that_may(city: City):
    papers = await city.accepted()
    output = {"name": "output", "valueReference": {"reference": "Observation/pressure"}}
    await city.do("clinic", "complete", papers.task, output)

    task = await city.get("hospital", "Task", papers.task)
    assert task["output"][0]["valueReference"] == {"reference": "Observation/pressure"}


async def test_a_draft_may_be_deleted(city: City):
    papers = await city.draft()
    reply = await city.ask("hospital", "delete", "Task", papers.task)

    assert reply.status == 204


async def test_a_sent_referral_is_not_deleted(city: City):
    papers = await city.sent()

    for type, id in (("Task", papers.task), ("ServiceRequest", papers.request)):
        assert (await refusal(city.ask("hospital", "delete", type, id))).status == 409


async def test_a_request_in_focus_is_not_deleted(city: City):
    papers = await city.draft()
    refused = await refusal(city.ask("hospital", "delete", "ServiceRequest", papers.request))
    await city.ask("hospital", "delete", "Task", papers.task)
    reply = await city.ask("hospital", "delete", "ServiceRequest", papers.request)

    assert refused.status == 409
    assert reply.status == 204


async def test_a_draft_request_may_be_rewritten(city: City):
    papers = await city.draft()
    request = await city.get("hospital", "ServiceRequest", papers.request)
    reply = await city.put("hospital", request | {"note": [{"text": "see also"}]})

    assert reply.status == 200


async def test_a_sent_request_is_sealed(city: City):
    papers = await city.sent()
    request = await city.get("hospital", "ServiceRequest", papers.request)

    refused = await refusal(city.put("hospital", request | {"note": [{"text": "see also"}]}))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["ServiceRequest.note"]


@pytest.mark.parametrize("status", ["completed", "revoked", "on-hold"])
async def test_the_task_alone_moves_the_request_on(city: City, status):
    papers = await city.sent()
    request = await city.get("hospital", "ServiceRequest", papers.request)

    with pytest.raises(Conflict):
        await city.put("hospital", request | {"status": status})


async def test_a_declined_request_may_be_revoked(city: City):
    papers = await city.sent()
    await city.do("clinic", "decline", papers.task, REASON)
    request = await city.get("hospital", "ServiceRequest", papers.request)
    reply = await city.put("hospital", request | {"status": "revoked"})

    assert reply.status == 200


async def test_a_request_does_not_become_a_referral_or_cease_to_be_one(city: City):
    papers = await city.draft()
    referral = await city.get("hospital", "ServiceRequest", papers.request)
    plain = {name: value for name, value in referral.items() if name != "category"}
    made = await city.post("hospital", plain)

    for request in (made | {"category": referral["category"]}, plain):
        refused = await refusal(city.put("hospital", request))
        assert refused.issues[0].expression == "ServiceRequest.category"


async def test_operations_name_their_definition(city: City):
    url = {each.name: each.definition for each in city.server.operations}["accept"]

    assert url == f"{BASE}OperationDefinition/Task-accept"


def told_of(target: str, *agents: str) -> dict:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2026-05-28T08:00:00Z",
        "agent": [{"who": {"reference": name}} for name in agents],
    }


async def test_who_took_a_step_is_told_by_the_hub_alone(city: City):
    papers = await city.sent()
    forged = told_of(f"Task/{papers.task}/_history/2", "Practitioner/clinic")

    refused = await refusal(city.post("clinic", forged))

    assert [each.expression for each in refused.issues] == ["Provenance.target"]


async def test_staff_tell_of_their_own_doing(city: City):
    """They may name others beside themselves, and never others alone."""
    both = ("Practitioner/wang", "Practitioner/clinic")

    refused = await refusal(city.post("hospital", told_of("Condition/hypertension", both[1])))
    made = await city.post("hospital", told_of("Condition/hypertension", *both))

    assert [each.expression for each in refused.issues] == ["Provenance.agent"]
    assert made["id"]
