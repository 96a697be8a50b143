"""Every type × interaction × kind of caller answers as the tables say: no 500, nothing leaks.

https://hl7.org/fhir/R4/http.html; the tables: `fhir_server.authz.tables`.
"""

import json
from dataclasses import replace

import pytest

from fhir_server.authz import tables
from fhir_server.authz.decide import Deny, decide
from fhir_server.model import Entry, Key, Write

SECRET = "only-the-hospital-knows"
KINDS = (
    "open",
    "operator",
    "auditor",
    "admin",
    "physician",
    "nurse",
    "registrar",
    "clinic",
    "stranger",
    "patient",
    "feed",
)
EXPECTED_GONE = {"AuditEvent"}


@pytest.fixture
def whole(make_hub, definitions):
    """A hub with one record of every type, owned by the hospital, about the patient p2."""
    hub = make_hub()

    async def fill():
        for type in sorted(definitions.resource_types - EXPECTED_GONE):
            entries = (Entry("_owner", "hospital"),)
            patients = ("p2",) if type in tables.RECORD else ()
            body = f'}},"language":"{SECRET}"}}'.encode()
            key = Key(type, "p2" if type == "Patient" else "x")
            await hub.server.store.commit([Write(key, body, entries, entries, patients)])

    hub.run(fill())
    return hub


def asks(type, id):
    body = {"resourceType": type, "id": id}
    return (
        ("read", "GET", f"{type}/{id}", None),
        ("history", "GET", f"{type}/{id}/_history", None),
        ("history", "GET", f"{type}/{id}/_history/1", None),
        ("history", "GET", f"{type}/_history", None),
        ("search", "GET", type, None),
        ("search", "GET", f"{type}?_id={id}&_summary=count", None),
        ("update", "PUT", f"{type}/{id}", body),
        ("update", "PUT", f"{type}?_id={id}", body),
        ("update", "PATCH", f"{type}/{id}", [{"op": "test", "path": "/id", "value": "no"}]),
        ("create", "POST", type, body),
        ("delete", "DELETE", f"{type}/{id}", None),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_and_interaction(whole, definitions, kind):
    caller = replace(whole.callers[kind], now=whole.clock.now)
    outsider = kind not in ("open", "operator", "physician", "nurse", "registrar", "feed")
    wrong = []
    for type in sorted(definitions.resource_types):
        id = "p2" if type == "Patient" else "x"
        for verb, method, path, body in asks(type, id):
            headers = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
            answer = whole(method, path, body, by=kind, headers=headers)
            denied = isinstance(decide(caller, type, verb), Deny)
            personal = type in tables.RECORD | tables.INSTITUTION
            if answer.status_code >= 500 and answer.status_code != 501:
                wrong.append((answer.status_code, method, path))
            if denied and answer.status_code not in (401, 403, 404, 405, 501):
                wrong.append((answer.status_code, method, path, "though it is denied"))
            if (outsider and personal and method != "POST") and SECRET in answer.text:
                wrong.append((answer.status_code, method, path, "leaks"))
    assert wrong == []


@pytest.mark.parametrize("kind", ["clinic", "stranger", "patient", "auditor", "admin"])
def test_hidden_and_absent_are_the_same(whole, definitions, kind):
    differing = []
    for type in sorted(tables.RECORD | tables.INSTITUTION):
        id = "p2" if type == "Patient" else "x"
        hidden, absent = asks(type, id), asks(type, "absent")
        for (_, method, path, body), (_, _, other, other_body) in zip(hidden, absent, strict=True):
            if method == "POST":
                continue
            headers = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
            one = whole(method, path, body, by=kind, headers=headers)
            two = whole(method, other, other_body, by=kind, headers=headers)
            if (one.status_code, one.text.replace(id, "absent")) != (
                two.status_code,
                two.text.replace(id, "absent"),
            ):
                differing.append((path, one.status_code, two.status_code))
    assert differing == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_hubs_own_records_are_nowhere(make_hub, kind):
    whole = make_hub()

    statuses = {
        whole(method, path, {} if method in ("PUT", "POST") else None, by=kind).status_code
        for type in sorted(tables.INTERNAL)
        for method, path in (
            ("GET", type),
            ("GET", f"{type}/x"),
            ("PUT", f"{type}/x"),
            ("POST", type),
            ("DELETE", f"{type}/x"),
            ("GET", f"Organization?_has:{type}:patient:_id=x"),
            ("GET", f"Organization?_revinclude={type}:patient"),
        )
    }

    assert statuses <= {400, 404}


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_writes_the_trail(whole, kind):
    body = {"resourceType": "AuditEvent", "id": "x"}

    statuses = [
        whole("POST", "AuditEvent", body, by=kind).status_code,
        whole("PUT", "AuditEvent/x", body, by=kind).status_code,
        whole("DELETE", "AuditEvent/x", by=kind).status_code,
        whole.patch("AuditEvent/x", [], by=kind).status_code,
    ]

    assert statuses == [405] * 4


@pytest.mark.parametrize(
    "kind", ["physician", "nurse", "registrar", "clinic", "stranger", "feed", "admin"]
)
def test_only_auditors_and_the_patient_read_the_trail(whole, kind):
    assert whole.get("AuditEvent", by=kind).status_code == 403


def test_a_patient_reads_the_trail_about_the_own_record_alone(whole):
    whole.put_in({"resourceType": "Patient", "id": "p1"})
    whole.get("Patient/p1")
    whole.get("Patient/p2")

    found = json.dumps(whole.get("AuditEvent", by="patient").json())

    assert "Patient/p1" in found
    assert "Patient/p2" not in found


def test_a_token_without_scopes_does_nothing(whole):
    whole.callers["bare"] = replace(whole.callers["physician"], scopes=())

    assert whole.get("Patient/p2", by="bare").status_code == 403


def test_whatever_is_asked_is_in_the_trail(whole):
    for path in ("Patient/p2", "Patient/nobody", "Patient?name=x", "Patient?colour=red"):
        whole.get(path, by="clinic", headers={"X-Request-Id": "mark"})

    rows = whole.run(whole.server.store.stats()).records["audit"]

    assert rows == 4
