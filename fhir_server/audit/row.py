"""The audit row: one compact record a request, durable before the answer leaves.

It holds who asked for what, about whom and how it ended; never what was answered.
"""

from collections.abc import Sequence

import msgspec

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.model import Entry, Key, Version, Write
from fhir_server.randomness import random_hex

ACTIONS = {
    "create": "C",
    "read": "R",
    "vread": "R",
    "history-instance": "R",
    "history-type": "R",
    "history-system": "R",
    "capabilities": "R",
    "update": "U",
    "patch": "U",
    "delete": "D",
}
"""Interaction -> AuditEvent.action; everything else executes (E).
https://hl7.org/fhir/R4/valueset-audit-event-action.html"""


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is kept of a request; `time` in milliseconds, `basis` why it was allowed."""

    time: int
    interaction: str
    status: int
    kind: str
    account: str
    request: str = ""
    name: str = ""
    person: str = ""
    role: str = ""
    duty: str = ""
    organization: str = ""
    client: str = ""
    token: str = ""
    type: str = ""
    id: str = ""
    query: str = ""
    patients: tuple[str, ...] = ()
    purpose: str = ""
    basis: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """Return the code of AuditEvent.action."""
        return ACTIONS.get(self.interaction, "E")

    @property
    def subtype(self) -> str:
        """Return the code of the RESTful interaction; every kind of search is a `search`."""
        name = self.interaction.partition("$")[0]
        return "search" if name.startswith("search") else name

    @property
    def outcome(self) -> str:
        """Return the code of AuditEvent.outcome: success, or whose failure it was."""
        return "0" if self.status < 400 else "4" if self.status < 500 else "8"

    @property
    def target(self) -> str:
        """Return the literal reference of the one resource that was asked for, if it was one."""
        return f"{self.type}/{self.id}" if self.type and self.id else ""

    @property
    def is_of_a_patient(self) -> bool:
        """Tell whether the one resource that was asked for is the one patient it tells of."""
        return self.type == "Patient" and self.patients == (self.id,)


_decoder = msgspec.json.Decoder(Row)


def audit_write(  # noqa: PLR0913 - each is one column of the row
    caller: Caller,
    *,
    interaction: str,
    type: str = "",
    id: str = "",
    query: str = "",
    status: int = 200,
    patients: Sequence[str] = (),
    basis: Sequence[str] = (),
    row_id: str = "",
) -> Write:
    """Return the write of the row that tells of a request: part of its commit.

    `interaction` is FHIR's name (`operation$accept` for an operation), `query` the raw text,
    `patients` the ids of all whose data the request told of or changed.
    """
    row = Row(
        time=caller.now,
        interaction=interaction,
        status=status,
        kind=caller.kind,
        account=caller.account,
        request=caller.request,
        name=caller.name,
        person=caller.person,
        role=caller.role,
        duty=caller.duty,
        organization=caller.organization,
        client=caller.client,
        token=caller.token,
        type=type,
        id=id,
        query=query,
        patients=tuple(patients),
        purpose=caller.purpose,
        basis=tuple(basis),
    )
    key = Key("audit", row_id or _id(row.time))
    return Write(key, fhirjson.encode(row), tuple(_entries(row)), expect=0)


def _id(time: int) -> str:
    """Return an id in the order of time, so that rows written together lie together in an index.

    It has no dash: what follows one says which of a row's AuditEvents is meant.
    """
    return f"{time:012x}{random_hex(10)}"


def _entries(row: Row) -> list[Entry]:
    """Return few entries, since every request writes them: one tells subtype, action, outcome, and
    a patient who was asked for is found as the patient."""
    entries = [
        Entry("date", row.time, row.time + 1),
        Entry("subtype", row.subtype, row.action, row.outcome),
        *(Entry("patient", patient) for patient in row.patients),
    ]
    for param, value in (
        ("agent", row.person),
        ("agent", row.role and f"PractitionerRole/{row.role}"),
        ("organization", row.organization),
        ("entity", "" if row.is_of_a_patient else row.target),
    ):
        if value:
            entries.append(Entry(param, value))
    return entries


def read(version: Version) -> Row:
    """Return the row of an audit record."""
    return _decoder.decode(version.body or b"")
