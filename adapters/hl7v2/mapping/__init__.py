"""From a message to what it contributes to the record.

https://hl7.org/fhir/uv/v2mappings/

The events are a table; a message whose event is not in it is refused or passed over as its source
says. Mapping reads the message, its source and the ids that it is given, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.hl7v2.faults import (
    REQUIRED_MISSING,
    UNSUPPORTED_EVENT,
    UNSUPPORTED_PROCESSING,
    ContentFault,
    Location,
)
from adapters.hl7v2.header import Header, read_header
from adapters.hl7v2.mapping.adt import admission
from adapters.hl7v2.mapping.oru import results
from adapters.hl7v2.mapping.patient import number_of
from adapters.hl7v2.mapping.provenance import provenance
from adapters.hl7v2.mapping.times import as_moment, date_time
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Message
from adapters.hl7v2.source import Ids, Source

Mapping = Callable[[Message, str, Work], list[Contribution]]

EVENTS: dict[tuple[str, str], Mapping] = {
    ("ADT", "A01"): admission,
    ("ADT", "A03"): admission,
    ("ADT", "A04"): admission,
    ("ADT", "A08"): admission,
    ("ORU", "R01"): results,
}
_SEGMENTS_READ = "MSH EVN PID NK1 PV1 PV2 DG1 AL1 ORC OBR OBX NTE"
READ = frozenset(_SEGMENTS_READ.split())


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a message contributes, its Provenance last; `unread` names segments no table reads."""

    contributions: tuple[Contribution, ...]
    unread: tuple[str, ...] = ()


def map_message(
    message: Message, source: Source, ids: Ids, received: datetime, digest: str = ""
) -> Mapped:
    """Map a message of a source.

    `received` (aware) goes into the Provenance, `digest` of the raw bytes tells apart messages that
    share a control id. Raises ContentFault for content to be corrected, and for an event or a
    processing id that the source is not to send.
    """
    header = read_header(message)
    _check(header, source)
    mapping = EVENTS.get((header.type, header.event))
    if mapping is None:
        return _unsupported(header, source)
    name = (source.local("message"), f"{' '.join(header.control_id.split())}|{digest}")
    work = _work(message, name, source, ids, received)
    contributions = mapping(message, header.event, work)
    names = dict.fromkeys(segment.name for segment in message.segments)
    unread = tuple(name for name in names if name not in READ)
    trail = provenance(header, contributions, received, work)
    return Mapped((*contributions, trail), unread)


def lane_of(message: Message, source: Source) -> tuple[str, str] | None:
    """Return the patient number whose messages must be applied one after the other."""
    pid = message.first("PID")
    return number_of(pid, source) if pid else None


_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


def _check(header: Header, source: Source) -> None:
    if not header.type:
        raise _msh_fault(REQUIRED_MISSING, 9, "expected type and event, such as ADT^A01")
    if not header.control_id.strip():
        raise _msh_fault(REQUIRED_MISSING, 10, "expected a control id, unique for the sender")
    processing = header.processing_id.split(header.separators.component)[0]
    if processing and processing not in source.processing_ids:
        accepted = ", ".join(sorted(source.processing_ids))
        raise _msh_fault(UNSUPPORTED_PROCESSING, 11, f"{processing!r} is not one of: {accepted}")


def _unsupported(header: Header, source: Source) -> Mapped:
    if source.unsupported == "ignore":
        return Mapped(())
    known = ", ".join("^".join(event) for event in EVENTS)
    text = f"{header.type}^{header.event} is not used here; used are {known}"
    raise _msh_fault(UNSUPPORTED_EVENT, 9, text)


def _work(
    message: Message, name: tuple[str, str], source: Source, ids: Ids, received: datetime
) -> Work:
    msh, evn = message.msh, message.first("EVN")
    now = received.astimezone(UTC).strftime(_MOMENT)
    sent = date_time(msh, 7, source)
    occurred = (date_time(evn, 2, source) if evn else "") or sent
    return Work(
        source,
        ids,
        name,
        as_moment(sent, source) or now,
        as_moment(occurred, source) or now,
        occurred,
    )


def _msh_fault(code: str, field: int, text: str) -> ContentFault:
    return ContentFault(code, Location("MSH", 1, field), text)
