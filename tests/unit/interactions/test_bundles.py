"""Batch and transaction. https://hl7.org/fhir/R4/http.html#transaction"""

import asyncio
import base64
import json

import pytest

A = "urn:uuid:00000000-0000-4000-8000-00000000000a"
B = "urn:uuid:00000000-0000-4000-8000-00000000000b"
PATIENT = {"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "1"}]}


def observation(subject, **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **more,
    }


def entry(method, url, resource=None, fullurl="", **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if fullurl:
        made["fullUrl"] = fullurl
    return made


def bundle(*entries, type="transaction"):
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def statuses(answer):
    assert answer.status_code == 200, answer.text
    return [e["response"]["status"][:3] for e in answer.json()["entry"]]


def test_two_creates_on_one_condition_are_refused(hub):
    """Neither would see the other, and there would be two of what may be there once."""
    create = entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:s|1")

    answer = hub.post("", bundle(create, create))

    assert answer.status_code == 400
    assert hub.get("Patient?identifier=urn:s|1&_total=accurate").json()["total"] == 0


def new_id(answer, place):
    return answer.json()["entry"][place]["response"]["location"].split("/")[1]


def test_entries_are_answered_in_their_order(hub):
    hub.put_in(PATIENT | {"id": "p1"}, PATIENT | {"id": "p2"})

    answer = hub.post(
        "",
        bundle(
            entry("GET", "Patient/p1"),
            entry("PUT", "Patient/p1", PATIENT | {"id": "p1", "active": True}),
            entry("POST", "Patient", PATIENT),
            entry("DELETE", "Patient/p2"),
        ),
    )

    assert statuses(answer) == ["200", "200", "201", "204"]
    assert answer.json()["type"] == "transaction-response"


def test_reads_see_what_was_written(hub):
    hub.put_in(PATIENT | {"id": "p1"})

    answer = hub.post(
        "",
        bundle(
            entry("GET", "Patient/p1"),
            entry("PUT", "Patient/p1", PATIENT | {"id": "p1", "active": True}),
            entry("GET", "Patient?active=true"),
        ),
    )

    read, _, searched = answer.json()["entry"]
    assert read["resource"]["active"] is True
    assert searched["resource"]["entry"][0]["resource"]["id"] == "p1"


def test_each_answer_tells_version_and_place(hub):
    answer = hub.post("", bundle(entry("POST", "Patient", PATIENT)))

    response = answer.json()["entry"][0]["response"]
    assert response["etag"] == 'W/"1"'
    assert hub.get(response["location"]).json()["meta"]["lastUpdated"] == response["lastModified"]


@pytest.mark.parametrize(
    ("prefer", "has"), [({}, False), ({"Prefer": "return=representation"}, True)]
)
def test_resources_come_back_when_preferred(hub, prefer, has):
    answer = hub.post("", bundle(entry("POST", "Patient", PATIENT)), headers=prefer)

    assert ("resource" in answer.json()["entry"][0]) == has


def test_references_between_entries_are_settled(hub):
    answer = hub.post(
        "",
        bundle(entry("POST", "Observation", observation(A)), entry("POST", "Patient", PATIENT, A)),
    )

    found = hub.get(f"Observation/{new_id(answer, 0)}").json()
    assert found["subject"]["reference"] == f"Patient/{new_id(answer, 1)}"
    assert hub.ids(f"Patient/{new_id(answer, 1)}/Observation") != []


def test_a_reference_to_a_put_is_settled(hub):
    answer = hub.post(
        "",
        bundle(
            entry("PUT", "Patient/p9", PATIENT | {"id": "p9"}, A),
            entry("POST", "Observation", observation(A)),
        ),
    )

    found = hub.get(f"Observation/{new_id(answer, 1)}").json()
    assert found["subject"]["reference"] == "Patient/p9"


def test_digits_survive_a_transaction(hub):
    body = json.dumps(
        bundle(entry("POST", "Observation", observation(A)), entry("POST", "Patient", PATIENT, A))
    )
    body = body.replace('"status": "final"', '"status":"final","valueQuantity":{"value":1.00}')

    answer = hub.post("", body.encode())

    assert b'"value":1.00' in hub.get(f"Observation/{new_id(answer, 0)}").content


def test_a_conditional_create_names_what_exists(hub):
    hub.put_in(PATIENT | {"id": "p1"})

    answer = hub.post(
        "",
        bundle(
            entry("POST", "Patient", PATIENT, A, ifNoneExist="identifier=urn:s|1"),
            entry("POST", "Observation", observation(A)),
        ),
    )

    assert statuses(answer) == ["200", "201"]
    found = hub.get(f"Observation/{new_id(answer, 1)}").json()
    assert found["subject"]["reference"] == "Patient/p1"


def test_a_conditional_reference_is_looked_up(hub):
    hub.put_in(PATIENT | {"id": "p1"})

    answer = hub.post(
        "", bundle(entry("POST", "Observation", observation("Patient?identifier=urn:s|1")))
    )

    found = hub.get(f"Observation/{new_id(answer, 0)}").json()
    assert found["subject"]["reference"] == "Patient/p1"


@pytest.mark.parametrize("count", [0, 2])
def test_a_conditional_reference_must_match_one(hub, count):
    for _ in range(count):
        hub.made(PATIENT)

    answer = hub.post(
        "", bundle(entry("POST", "Observation", observation("Patient?identifier=urn:s|1")))
    )

    assert answer.status_code == 412
    assert hub.ids("Observation") == []


def test_one_refused_entry_refuses_all(hub):
    answer = hub.post(
        "",
        bundle(
            entry("POST", "Patient", PATIENT),
            entry("POST", "Patient", PATIENT | {"gender": "x"}),
            entry("POST", "Patient", PATIENT | {"active": "x"}),
        ),
    )

    assert answer.status_code == 422
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert places == ["Bundle.entry[1].resource.gender", "Bundle.entry[2].resource.active"]
    assert hub.ids("Patient") == []


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (entry("PUT", "Patient/p1", PATIENT | {"id": "p1", "active": True}, ifMatch='W/"9"'), 412),
        (entry("DELETE", "Patient/p1", ifMatch='W/"9"'), 412),
        (entry("GET", "Patient/nobody"), 404),
        (entry("GET", "Patient?colour=red"), 400),
        (entry("PUT", "Patient/p1", PATIENT | {"id": "p2"}), 400),
        (entry("POST", "Patient/p1", PATIENT), 405),
        (entry("GET", "Nothing/1"), 404),
        (entry("POST", "Patient"), 400),
        (entry("GET", "http://elsewhere.test/fhir/Patient/1"), 400),
        (entry("POST", "Patient/$nothing", PATIENT), 501),
        (entry("POST", "", bundle()), 400),
        ({"resource": PATIENT}, 400),
    ],
)
def test_whatever_is_refused_nothing_is_written(hub, refused, status):
    hub.put_in(PATIENT | {"id": "p1"})

    answer = hub.post("", bundle(entry("POST", "Patient", PATIENT), refused))

    assert answer.status_code == status
    assert "Bundle.entry[1]" in answer.json()["issue"][0]["expression"][0]
    assert hub.ids("Patient") == ["Patient/p1"]


def test_one_record_may_occur_once(hub):
    twice = entry("PUT", "Patient/p1", PATIENT | {"id": "p1"})

    assert hub.post("", bundle(twice, twice)).status_code == 400


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_creation_without_a_url_is_one_of_its_own_type(hub, kind):
    made = {"resourceType": "Bundle", "type": kind}
    made["entry"] = [{"resource": PATIENT, "request": {"method": "POST"}}]

    answer = hub.post("", made)

    assert statuses(answer) == ["201"]
    assert answer.json()["entry"][0]["response"]["location"].startswith("Patient/")


@pytest.mark.parametrize(
    "entry",
    [
        {"resource": PATIENT | {"id": "p1"}, "request": {"method": "PUT"}},
        {"resource": {"id": "p1"}, "request": {"method": "POST"}},
        {"resource": [], "request": {"method": "POST"}},
        {"request": {"method": "POST"}},
        {"request": {"method": "GET"}},
        {"request": {"url": "Patient"}},
        {"resource": PATIENT},
    ],
)
def test_an_entry_that_does_not_say_what_it_asks_for_is_refused(hub, entry):
    assert hub.post("", bundle(entry)).status_code == 400


def test_one_fullurl_may_occur_once(hub):
    twice = entry("POST", "Patient", PATIENT, A)

    assert hub.post("", bundle(twice, twice)).status_code == 400


def test_if_match_inside_is_met(hub):
    hub.put_in(PATIENT | {"id": "p1"})
    changed = PATIENT | {"id": "p1", "active": True}

    answer = hub.post("", bundle(entry("PUT", "Patient/p1", changed, ifMatch='W/"1"')))

    assert statuses(answer) == ["200"]


def test_a_patch_is_a_binary(hub):
    hub.put_in(PATIENT | {"id": "p1"})
    operations = json.dumps([{"op": "add", "path": "/active", "value": True}]).encode()
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(operations).decode(),
    }

    assert statuses(hub.post("", bundle(entry("PATCH", "Patient/p1", binary)))) == ["200"]
    assert hub.get("Patient/p1").json()["active"] is True


def test_nothing_changed_makes_no_version(hub):
    hub.put_in(PATIENT | {"id": "p1"})

    hub.post("", bundle(entry("PUT", "Patient/p1", PATIENT | {"id": "p1"})))

    assert hub.get("Patient/p1").headers["ETag"] == 'W/"1"'


def test_equal_conditional_transactions_make_one(hub):
    body = bundle(
        entry("POST", "Patient", PATIENT, A, ifNoneExist="identifier=urn:s|1"),
        entry("POST", "Observation", observation(A)),
    )

    async def all_at_once():
        return await asyncio.gather(*(hub.ask("POST", "", body) for _ in range(16)))

    answers = hub.run(all_at_once())

    assert {answer.status_code for answer in answers} == {200}
    assert len(hub.ids("Patient")) == 1
    assert len(hub.ids("Observation?_count=50")) == 16


def test_an_empty_transaction_is_one(hub):
    assert hub.post("", bundle()).json()["type"] == "transaction-response"


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle"},
        PATIENT,
        {"resourceType": "Bundle", "type": "batch", "entry": 7},
        [],
    ],
)
def test_what_is_neither_batch_nor_transaction_is_a_bad_request(hub, body):
    assert hub.post("", body).status_code == 400


def test_too_many_entries_are_too_large(make_hub):
    hub = make_hub(settings={"entry_limit": 2})

    assert hub.post("", bundle(*[entry("GET", "Patient")] * 3)).status_code == 413


# Batch


def test_entries_of_a_batch_know_nothing_of_each_other(hub):
    answer = hub.post(
        "",
        bundle(
            entry("GET", "Patient/nobody"),
            entry("POST", "Patient", PATIENT),
            entry("POST", "Patient", PATIENT | {"bogus": 1}),
            entry("BREW", "Patient"),
            entry("GET", "Patient?identifier=1"),
            type="batch",
        ),
    )

    assert statuses(answer) == ["404", "201", "422", "405", "200"]
    assert answer.json()["type"] == "batch-response"


def test_a_refused_entry_of_a_batch_tells_why(hub):
    answer = hub.post("", bundle(entry("GET", "Patient/nobody"), type="batch"))

    outcome = answer.json()["entry"][0]["response"]["outcome"]
    assert outcome["issue"][0]["code"] == "not-found"


def test_a_batch_runs_operations(hub):
    answer = hub.post("", bundle(entry("POST", "Patient/$validate", PATIENT), type="batch"))

    assert statuses(answer) == ["200"]


def test_each_entry_of_a_batch_is_audited(hub):
    hub.put_in(PATIENT | {"id": "p1"})

    hub.post("", bundle(*[entry("GET", "Patient/p1")] * 3, type="batch"), by="operator")

    found = hub.get("AuditEvent?patient=p1&action=R", by="auditor").json()
    assert len(found["entry"]) == 3
