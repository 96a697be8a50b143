"""What the steps of the story do: real requests, and what has to come of them."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fhir_server.demo.client import Answer, Client
from fhir_server.demo.scene import Stage, expect

MRN = "urn:oid:2.999.86.1.1"


def admit(stage: Stage) -> None:
    """ADT^A01 over MLLP makes Patient, Encounter and Condition, and is acknowledged AA."""
    expect(stage.v2("admit") == "AA", "ADT^A01 was not acknowledged AA")


def results(stage: Stage) -> None:
    """ORU^R01 in GB18030 makes the report and its Observations."""
    expect(stage.v2("results") == "AA", "ORU^R01 was not acknowledged AA")


def discharge(stage: Stage) -> None:
    """ADT^A03 finishes the Encounter, which the physician finds by the hospital's number."""
    expect(stage.v2("discharge") == "AA", "ADT^A03 was not acknowledged AA")
    found = stage.http(
        stage.physician, "GET", f"/fhir/Patient?identifier={quote(MRN + '|' + stage.facts['mrn'])}"
    )
    expect(
        len(found.entries) == 1,
        "the hospital's own patient was not found by number: was the message sent to another hub?",
    )
    stage.facts["patient"] = found.entries[0]["id"]
    visits = stage.http(stage.physician, "GET", f"/fhir/Encounter?patient={stage.facts['patient']}")
    states = [visit["status"] for visit in visits.entries]
    expect(states == ["finished"], f"the discharge left the encounters {states}")


def again(stage: Stage) -> None:
    """The same message again changes nothing and receives the same acknowledgement."""
    path = f"/fhir/Observation?patient={stage.facts['patient']}&_summary=count"
    before = stage.http(stage.physician, "GET", path).body["total"]
    first = stage.facts["acknowledgement:results"]
    expect(stage.v2("results") == "AA", "the repeated message was refused")
    expect(stage.facts["acknowledgement:results"] == first, "the acknowledgement changed")
    after = stage.http(stage.physician, "GET", path).body["total"]
    expect(before == after > 0, f"{before} observations became {after}")


def broken(stage: Stage) -> None:
    """A broken message receives AE, is kept with its reason, is corrected and replayed."""
    expect(stage.v2("broken") == "AE", "the broken message was not acknowledged AE")
    waiting = stage.http(stage.integrator, "GET", "/api/messages?state=failed")
    mine = [m for m in waiting.body["messages"] if m["control_id"] == stage.facts["broken_id"]]
    expect(
        len(mine) == 1 and bool(mine[0]["reason"]), "the broken message is not kept with a reason"
    )
    path = f"/api/messages/{mine[0]['id']}"
    done = stage.http(
        stage.integrator, "POST", f"{path}/replay", {"text": stage.facts["corrected"]},
        Content_Type="application/json",
    )  # fmt: skip
    expect(done.status == 200 and done.body["state"] == "applied", "the corrected message failed")


def look(stage: Stage) -> None:
    """A hospital physician reads the record: chain, include, sort, paging."""
    for path in questions(stage):
        answer = stage.http(stage.physician, "GET", path)
        expect(
            answer.status == 200 and bool(answer.entries), f"the physician found nothing: {path}"
        )
        stage.facts.setdefault("asked", []).append(path)
        for link in answer.body.get("link", []):
            if link["relation"] == "next":
                following = stage.http(stage.physician, "GET", local(link["url"]))
                expect(bool(following.entries), "the next page is empty")


def hidden(stage: Stage) -> None:
    """A clinic doctor asks the same and gets the answers of a world without the patient."""
    for path in stage.facts["asked"]:
        answer = stage.http(stage.clinic, "GET", path)
        expect(answer.status == 200 and not answer.entries, f"the clinic saw something: {path}")
    here = stage.http(stage.clinic, "GET", f"/fhir/Patient/{stage.facts['patient']}")
    nowhere = stage.http(stage.clinic, "GET", "/fhir/Patient/nobody-has-this-id")
    expect(here.status == nowhere.status == 404, "hidden and absent are told apart by status")


def questions(stage: Stage) -> Iterator[str]:
    """Yield the searches that both sides ask."""
    patient, mrn = stage.facts["patient"], quote(stage.facts["mrn"])
    chain = f"subject:Patient.identifier={mrn}&_include=Observation:subject"
    yield f"/fhir/Observation?{chain}&_sort=-date&_count=3"
    yield f"/fhir/Observation?patient={patient}&code=http://loinc.org|8480-6"
    yield f"/fhir/Patient?_id={patient}&_has:Condition:patient:code=I10"
    yield f"/fhir/Patient?_id={patient}&_revinclude=Encounter:patient"


def write_referral(stage: Stage) -> None:
    """The physician writes ServiceRequest, Consent and Task as one transaction, as drafts."""
    stage.facts |= stage.facts["compose"](stage)
    answer = stage.http(stage.physician, "POST", "/fhir", stage.facts["referral"])
    expect(answer.status == 200, "the referral was refused")
    made = [e["response"]["location"].split("/_history")[0] for e in answer.body["entry"]]
    for kind in ("ServiceRequest", "Consent", "Task"):
        stage.facts[kind] = next("/".join(m.split("/")[-2:]) for m in made if f"{kind}/" in m)
    expect(not worklist(stage, stage.clinic), "the clinic already sees a draft")


def send(stage: Stage) -> None:
    """Sending the Task opens the package, and nothing else, to the clinic."""
    answer = stage.http(stage.physician, "POST", f"/fhir/{stage.facts['Task']}/$send", {})
    expect(answer.status == 200, "the referral could not be sent")
    expect(len(worklist(stage, stage.clinic)) == 1, "the clinic's worklist does not show it")
    expect(not worklist(stage, stage.other_clinic), "another clinic's worklist shows it")
    name = f"/fhir/Patient/{stage.facts['patient']}"
    expect(stage.http(stage.clinic, "GET", name).status == 200, "the package lacks the patient")
    expect(not pressures(stage, stage.clinic), "the pull is open before acceptance")


def worklist(stage: Stage, client: Client) -> list[dict[str, Any]]:
    """Return the open referrals of this patient that `client` finds."""
    path = f"/fhir/Task?patient={stage.facts['patient']}&status=requested,received,accepted"
    return stage.http(client, "GET", path).entries


def pressures(stage: Stage, client: Client) -> list[dict[str, Any]]:
    """Return the blood pressures of this patient that `client` finds."""
    path = f"/fhir/Observation?patient={stage.facts['patient']}&code=http://loinc.org|8480-6"
    return stage.http(client, "GET", path).entries


def accept(stage: Stage) -> None:
    """Of two simultaneous acceptances one wins; the pull opens on the next request."""
    path = f"/fhir/{stage.facts['Task']}/$accept"
    answers: list[Answer] = []
    both = [
        threading.Thread(target=lambda c=client: answers.append(stage.http(c, "POST", path, {})))
        for client in (stage.clinic, stage.clinic_nurse)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    expect(sorted(a.status for a in answers) == [200, 409], "not exactly one acceptance won")
    expect(bool(pressures(stage, stage.clinic)), "the pull did not open")
    expect(not pressures(stage, stage.other_clinic), "another clinic sees the data")


def illegal(stage: Stage) -> None:
    """An illegal step is a 409 that names the legal ones, by PATCH and by PUT alike."""
    path = f"/fhir/{stage.facts['Task']}"
    patch = [{"op": "replace", "path": "/status", "value": "requested"}]
    first = stage.http(
        stage.clinic, "PATCH", path, patch, Content_Type="application/json-patch+json"
    )
    task = stage.http(stage.clinic, "GET", path).body | {"status": "requested"}
    second = stage.http(stage.clinic, "PUT", path, task)
    expect(first.status == second.status == 409, "an illegal step was not answered 409")
    words = first.body["issue"][0]["diagnostics"]
    expect("complete" in words, f"the answer does not name the legal steps: {words}")


def visit(stage: Stage) -> None:
    """The clinic records a visit; the hospital's physician sees it."""
    stage.http(stage.clinic, "POST", f"/fhir/{stage.facts['Task']}/$start", {})
    answer = stage.http(stage.clinic, "POST", "/fhir", stage.facts["visit"](stage))
    expect(answer.status == 200, "the clinic could not record its visit")
    found = stage.http(
        stage.physician,
        "GET",
        f"/fhir/Encounter?patient={stage.facts['patient']}&status=in-progress",
    )
    expect(len(found.entries) == 1, "the physician does not see the clinic's visit")


def withdraw(stage: Stage) -> None:
    """The patient reads who looked, then withdraws; the clinic keeps its own and the referral."""
    patient = stage.patient = stage.facts["enter"](stage)
    looked = stage.http(patient, "GET", "/api/who-looked")
    expect("东堤" in str(looked.body), "the patient cannot read that the clinic looked")
    patch = [{"op": "replace", "path": "/status", "value": "inactive"}]
    answer = stage.http(
        patient, "PATCH", f"/fhir/{stage.facts['Consent']}", patch,
        Content_Type="application/json-patch+json",
    )  # fmt: skip
    expect(answer.status == 200, "the patient could not withdraw the consent")
    owned = {(o["resourceType"], o["id"]) for o in pressures(stage, stage.clinic)}
    expect(len(owned) == 1, f"after withdrawal the clinic sees {len(owned)} pressures, not its one")
    name = f"/fhir/Patient/{stage.facts['patient']}"
    expect(stage.http(stage.clinic, "GET", name).status == 404, "the patient is still open")
    own = stage.http(stage.clinic, "GET", f"/fhir/{stage.facts['Task']}")
    expect(own.status == 200, "the clinic lost the referral it answers for")


def complete(stage: Stage) -> None:
    """The clinic completes the Task; its grant ends."""
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "note", "valueString": "血压平稳，转为社区随访。"}],
    }
    answer = stage.http(stage.clinic, "POST", f"/fhir/{stage.facts['Task']}/$complete", body)
    expect(answer.status == 200, "the clinic could not complete the referral")
    seen = stage.http(stage.physician, "GET", f"/fhir/{stage.facts['Task']}")
    expect(seen.body["status"] == "completed", "the physician does not see the completion")


def audit(stage: Stage) -> None:
    """The auditor reads the whole trail as AuditEvents; nobody else can."""
    path = f"/fhir/AuditEvent?patient={stage.facts['patient']}&_count=200"
    trail = stage.http(stage.auditor, "GET", path)
    expect(len(trail.entries) >= 10, "the trail is too short")
    for other in (stage.physician, stage.clinic):
        answer = stage.http(other, "GET", path)
        expect(answer.status in (403, 404) or not answer.entries, "somebody else reads the trail")
    record = stage.http(stage.auditor, "GET", f"/fhir/Patient/{stage.facts['patient']}")
    expect(record.status in (403, 404), "the auditor reads the record itself")


def local(url: str) -> str:
    """Return the path and query of a link of the hub's own.

    >>> local("http://127.0.0.1:8080/fhir/Patient?x=1")
    '/fhir/Patient?x=1'
    """
    return "/" + url.split("://", 1)[-1].split("/", 1)[-1]
