"""Acknowledgements.

HL7 v2.5.1 section 2.9, https://www.hl7.eu/HL7v2x/v251/std251/ch02.html#Heading107

1. Original mode: AA when the message is in the record (or in the inbox, by the source's setting),
   AE when its content has to be corrected first, AR when it is refused as a kind or the same
   message may be sent again unchanged because the fault is ours.
2. Enhanced mode is asked for by MSH-15 or MSH-16 and answered on the same connection with one
   message: the accept acknowledgement if it is due, else the application acknowledgement.
   It is used only for sources that are set to it: many senders fill MSH-15 and expect AA.
3. MSH-3 to MSH-6 change sides; MSH-11, MSH-12 and MSH-18 come back; MSA-2 is the sender's MSH-10.
   What is echoed loses its control characters.
4. From v2.5 on a fault is told in ERR-2, 3, 4, 7; before in ERR-1. The text is also in MSA-3.
"""

from datetime import datetime
from typing import Literal

from adapters.hl7v2.escapes import escape
from adapters.hl7v2.faults import (
    INTERNAL,
    MEANINGS,
    UNSUPPORTED_EVENT,
    UNSUPPORTED_PROCESSING,
    UNSUPPORTED_TYPE,
    UNSUPPORTED_VERSION,
    ContentFault,
    Location,
)
from adapters.hl7v2.header import Header

Outcome = Literal["accept", "error", "reject"]
Mode = Literal["original", "enhanced"]

REJECTED = frozenset(
    {UNSUPPORTED_TYPE, UNSUPPORTED_EVENT, UNSUPPORTED_PROCESSING, UNSUPPORTED_VERSION, INTERNAL}
)
SYSTEM_FAULT = ContentFault(
    INTERNAL, Location("MSH"), "the message is unharmed; send it again unchanged"
)

APPLICATION: dict[Outcome, str] = {"accept": "AA", "error": "AE", "reject": "AR"}
ACCEPT: dict[Outcome, str] = {"accept": "CA", "error": "CE", "reject": "CR"}

# HL7 table 0155: when an acknowledgement is due
CONDITIONS: dict[str, frozenset[Outcome]] = {
    "AL": frozenset({"accept", "error", "reject"}),
    "NE": frozenset(),
    "ER": frozenset({"error", "reject"}),
    "SU": frozenset({"accept"}),
}
_ALWAYS = CONDITIONS["AL"]
_NEVER = CONDITIONS["NE"]


def outcome_of(fault: ContentFault | None) -> Outcome:
    """Return what a fault means to the sender; none means acceptance."""
    if fault is None:
        return "accept"
    return "reject" if fault.code in REJECTED else "error"


def due(header: Header, outcome: Outcome, mode: Mode) -> str | None:
    """Return the code to answer with on the same connection, None where silence is asked for."""
    accept, application = header.accept_acknowledgement, header.application_acknowledgement
    if mode == "original" or not (accept or application):
        return APPLICATION[outcome]
    if outcome in CONDITIONS.get(accept, _ALWAYS if accept else _NEVER):
        return ACCEPT[outcome]
    if outcome in CONDITIONS.get(application, _ALWAYS if application else _NEVER):
        return APPLICATION[outcome]
    return None


def acknowledge(
    header: Header, code: str, *, control_id: str, time: datetime, fault: ContentFault | None = None
) -> str:
    """Return the text of an acknowledgement, to be encoded in the sender's character set.

    `control_id` is our MSH-10, `time` (aware) our MSH-7; `fault` adds ERR.
    """
    field = header.separators.field
    segments = [_msh(header, control_id, time), ["MSA", code, _clean(header.control_id)]]
    if fault is not None:
        segments[1].append(_text(header, fault.text)[:80] if _is_old(header) else "")
        segments.append(_err_1(header, fault) if _is_old(header) else _err(header, fault))
    return "".join(field.join(segment).rstrip(field) + "\r" for segment in segments)


def _msh(header: Header, control_id: str, time: datetime) -> list[str]:
    separators = header.separators
    kind = ["ACK", header.event, "ACK"] if header.event else ["ACK"]
    return [
        "MSH",
        "".join(separators[1:]),
        _clean(header.receiving_application),
        _clean(header.receiving_facility),
        _clean(header.sending_application),
        _clean(header.sending_facility),
        time.strftime("%Y%m%d%H%M%S%z"),
        "",
        separators.component.join(_text(header, part) for part in kind),
        control_id,
        _clean(header.processing_id) or "P",
        _text(header, header.version) or "2.5",
        *([""] * 5),
        _clean(header.charset),
    ]


def _err(header: Header, fault: ContentFault) -> list[str]:
    component = header.separators.component
    where = str(fault.location).replace("^", component)
    meaning = component.join((fault.code, MEANINGS[fault.code], "HL70357"))
    return ["ERR", "", where, meaning, "E", "", "", _text(header, fault.text)]


def _err_1(header: Header, fault: ContentFault) -> list[str]:
    where = fault.location
    code = header.separators.subcomponent.join((fault.code, MEANINGS[fault.code], "HL70357"))
    parts = (where.segment, str(where.ordinal), str(where.field) if where.field else "", code)
    return ["ERR", header.separators.component.join(parts)]


def _is_old(header: Header) -> bool:
    return header.version[:3] in {"2.1", "2.2", "2.3", "2.4"}


def _text(header: Header, text: str) -> str:
    return escape(_clean(text), header.separators)


def _clean(raw: str) -> str:
    return "".join(character for character in raw if character >= " " and character != "\x7f")
