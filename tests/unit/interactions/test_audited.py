"""Every request leaves one row in the trail before its answer leaves."""

import pytest

from fhir_server.audit import row
from fhir_server.model import Query
from fhir_server.search.tree import EVERYTHING

PATIENT = {"resourceType": "Patient", "id": "p1"}


def rows(hub):
    page = hub.run(hub.server.store.search(Query("audit", EVERYTHING, limit=100)))
    return sorted((row.read(version) for version in page.versions), key=lambda each: each.time)


@pytest.mark.parametrize(
    ("method", "path", "body", "interaction", "status", "patients"),
    [
        ("GET", "Patient/p1", None, "read", 200, ("p1",)),
        ("GET", "Patient/p1/_history/1", None, "vread", 200, ("p1",)),
        ("GET", "Patient/p1/_history", None, "history-instance", 200, ("p1",)),
        ("GET", "Patient?_id=p1", None, "search-type", 200, ("p1",)),
        ("GET", "Patient?_id=p1&_summary=count", None, "search-type", 200, ()),
        ("GET", "Patient/nobody", None, "read", 404, ()),
        ("GET", "Patient?colour=red", None, "search-type", 400, ()),
        ("PUT", "Patient/p1", PATIENT, "update", 200, ("p1",)),
        ("PUT", "Patient/p1", PATIENT | {"active": True}, "update", 200, ("p1",)),
        ("DELETE", "Patient/p1", None, "delete", 204, ("p1",)),
        ("POST", "Patient/$nothing", PATIENT, "operation$nothing", 501, ()),
    ],
)
def test_a_request_leaves_a_row(hub, method, path, body, interaction, status, patients):
    hub.put_in(PATIENT)

    hub(method, path, body, by="operator")

    last = rows(hub)[-1]
    assert (last.interaction, last.status, last.patients) == (interaction, status, patients)
    assert (last.account, len(rows(hub))) == ("operator", 2)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "grant/x", None, {}, 404),
        ("GET", "Patient/p1", None, {"Accept": "application/fhir+xml"}, 406),
        ("PUT", "Patient/p1", PATIENT, {"If-Match": "newest"}, 400),
        ("POST", "Patient", b"{", {}, 400),
        ("POST", "Patient", b"<Patient/>", {"Content-Type": "text/plain"}, 415),
        ("POST", "", {"resourceType": "Bundle", "type": "collection"}, {}, 400),
    ],
)
def test_a_refusal_before_the_interaction_leaves_a_row_too(
    hub, method, path, body, headers, status
):
    hub(method, path, body, by="operator", headers=headers)

    assert [(each.account, each.status) for each in rows(hub)] == [("operator", status)]


@pytest.mark.parametrize("in_transaction", [False, True])
def test_what_is_moved_to_another_patient_is_told_of_both(hub, in_transaction):
    plain = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"}}
    flags = [plain | {"subject": {"reference": f"Patient/{name}"}} for name in ("p1", "p2")]
    hub.put_in(PATIENT, PATIENT | {"id": "p2"}, flags[0])
    request = {"resource": flags[1], "request": {"method": "PUT", "url": "Flag/f"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [request]}

    hub.post("", bundle) if in_transaction else hub.put("Flag/f", flags[1])

    assert rows(hub)[-1].patients == ("p1", "p2")


def test_a_create_tells_the_new_id(hub):
    id = hub.made({"resourceType": "Patient"})

    assert (rows(hub)[-1].target, rows(hub)[-1].patients) == (f"Patient/{id}", (id,))


def test_a_transaction_tells_whom_it_wrote_and_read(hub):
    hub.put_in(PATIENT)
    entries = [
        {"request": {"method": "GET", "url": "Patient/p1"}},
        {"resource": PATIENT | {"id": "p2"}, "request": {"method": "PUT", "url": "Patient/p2"}},
    ]

    hub.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert (rows(hub)[-1].interaction, rows(hub)[-1].patients) == ("transaction", ("p1", "p2"))


def test_the_raw_query_is_kept(hub):
    hub.get("Patient?name=%E7%8E%8B&_count=5")

    assert rows(hub)[-1].query == "name=%E7%8E%8B&_count=5"


def test_the_statement_and_the_unknown_leave_none(hub):
    hub.get("metadata", by="")
    hub.get("Patient", by="")

    assert rows(hub) == []
