"""https://hl7.org/fhir/R4/auditevent.html, https://profiles.ihe.net/ITI/BALP/"""

import base64

import pytest

from conformance.definitions import Definitions, load
from fhir_server.audit.event import events
from fhir_server.audit.row import Row, audit_write, read
from fhir_server.model import Version
from tests.unit.audit.conftest import DOCTOR


def row(**more: object) -> Row:
    values = {"interaction": "read", "type": "Patient", "id": "p1", "patients": ("p1",)} | more
    write = audit_write(DOCTOR, **values)  # type: ignore[arg-type]
    return read(Version(write.key, 1, 0, write.body))


def test_n_patients_make_n_events() -> None:
    """BALP: when a result set touches several patients, one AuditEvent per patient."""
    made = events("r", row(interaction="search-type", patients=("p1", "p2", "p3")))

    assert [each["id"] for each in made] == ["r-0", "r-1", "r-2"]
    assert [each["entity"][0]["what"]["reference"] for each in made] == [
        "Patient/p1",
        "Patient/p2",
        "Patient/p3",
    ]


def test_a_row_about_nobody_makes_one_event() -> None:
    [made] = events("r", row(type="Organization", id="clinic", patients=()))

    assert made["entity"][0]["what"]["reference"] == "Organization/clinic"


def test_the_query_is_kept_exactly() -> None:
    """BALP: the raw query is base64 in entity.query, malicious text and all."""
    raw = "name=%E7%8E%8B';drop&x[$ne]=<script>"
    [made] = events("r", row(interaction="search-type", id="", query=raw))
    [query] = [entity["query"] for entity in made["entity"] if "query" in entity]

    assert base64.b64decode(query).decode() == f"Patient?{raw}"


def test_who_why_and_how_it_ended_are_told() -> None:
    [made] = events("r", row(status=403, basis=("https://fhir-hub.example/basis/x",)))
    user = made["agent"][0]

    assert (made["action"], made["outcome"], made["recorded"]) == (
        "R",
        "4",
        "2026-09-21T14:13:20.000Z",
    )
    assert user["who"]["reference"] == "Practitioner/liu"
    assert user["role"][0]["coding"][0]["code"] == "physician"
    assert user["policy"] == ["https://fhir-hub.example/basis/x", "urn:sha256:ab12"]
    assert made["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"


def test_the_request_id_joins_the_events_of_a_request() -> None:
    [made] = events("r", row())

    assert made["entity"][-1]["what"]["identifier"]["value"] == "q-1"


@pytest.mark.parametrize(
    ("interaction", "action", "subtype"),
    [
        ("create", "C", "create"),
        ("vread", "R", "vread"),
        ("patch", "U", "patch"),
        ("delete", "D", "delete"),
        ("search-compartment", "E", "search"),
        ("operation$accept", "E", "operation"),
        ("transaction", "E", "transaction"),
    ],
)
def test_an_interaction_has_its_action_and_subtype(
    interaction: str, action: str, subtype: str
) -> None:
    [made] = events("r", row(interaction=interaction))

    assert (made["action"], made["subtype"][0]["code"]) == (action, subtype)


@pytest.mark.parametrize(("status", "outcome"), [(200, "0"), (304, "0"), (404, "4"), (503, "8")])
def test_a_status_is_an_outcome(status: int, outcome: str) -> None:
    assert row(status=status).outcome == outcome


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load()


def test_an_event_has_only_elements_of_audit_event(definitions: Definitions) -> None:
    [made] = events("r", row(interaction="search-type", query="a=b", basis=("u",)))

    assert made.keys() - {"resourceType"} <= definitions.elements("AuditEvent").keys()
    for part in ("agent", "entity"):
        known = definitions.elements(f"AuditEvent.{part}").keys()
        assert all(each.keys() <= known for each in made[part])
