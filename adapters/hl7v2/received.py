"""An inbound message as the hub keeps it: an internal record, committed with what it became.

| state | meaning |
|---|---|
| applied | its resources are in the record |
| failed | its content must be corrected; `reason` says what and where |
| passed | its event is not used, as its source is set |
"""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from adapters.hl7v2.faults import ContentFault
from fhir_server import fhirjson
from fhir_server.model import Entry, Key, Version, Write

State = Literal["applied", "failed", "passed"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message failed: table 0357 code, place in the message, what was expected."""

    code: str
    location: str
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A text that a person put in the place of the message's own; `time` in milliseconds."""

    text: str
    account: str
    time: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message, what was answered to it, and what became of it.

    `raw` and `acknowledgement` are bytes as they went over the wire (base64 in storage), `codec`
    is Python's name of their character set, `made` are literal references, `time` is milliseconds.
    """

    source: str
    control_id: str
    event: str
    time: int
    codec: str
    raw: bytes
    acknowledgement: bytes
    code: str
    state: State
    reason: Reason | None = None
    patient: str = ""
    made: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = field(default=())


_decoder = msgspec.json.Decoder(Received)


def reason_of(fault: ContentFault) -> Reason:
    """Return a fault as it is kept."""
    return Reason(fault.code, str(fault.location), fault.text)


def read(version: Version | None) -> Received | None:
    """Return the message of a living record."""
    return None if version is None or version.body is None else _decoder.decode(version.body)


def write(id: str, message: Received, expect: int) -> Write:
    """Return the write of a message: found by what `entries` lists, each by its name."""
    entries = [
        Entry("state", message.state),
        Entry("source", message.source),
        Entry("control-id", message.control_id),
        Entry("event", message.event),
        Entry("received", message.time, message.time + 1),
    ]
    if message.patient:
        entries.append(Entry("patient", f"Patient/{message.patient}"))
    return Write(Key("message", id), fhirjson.encode(message), tuple(entries), expect=expect)
