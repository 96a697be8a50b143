"""From the bytes of a frame to a message, its sender and the character set to answer in.

Reading the header never fails, so that every frame can be answered: where the bytes do not decode,
the header is read and echoed byte by byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.hl7v2.charset import decode
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.header import Header, read_header
from adapters.hl7v2.message import Message, parse
from adapters.hl7v2.source import Source

_BYTES = "latin-1"
_NOTHING = "MSH|^~\\&|"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a frame holds: no `message` where `fault` says why, no `source` for a stranger."""

    header: Header
    codec: str
    source: Source | None
    message: Message | None
    fault: ContentFault | None = None


def open_message(raw: bytes, sources: Sequence[Source]) -> Opened:
    """Decode and parse a frame of one of `sources`."""
    outer = _loose_header(raw)
    source = source_of(outer, sources)
    try:
        decoded = decode(raw, source.default_charset if source else None)
        message = parse(decoded.text)
    except ContentFault as fault:
        return Opened(outer, _BYTES, source, None, fault)
    header = read_header(message)
    return Opened(header, decoded.codec, source or source_of(header, sources), message)


def source_of(header: Header, sources: Sequence[Source]) -> Source | None:
    """Return the source that MSH-4 (and MSH-3, where it names applications) belongs to."""
    facility = header.sending_facility.split(header.separators.component)[0]
    application = header.sending_application.split(header.separators.component)[0]
    for source in sources:
        if source.facility == facility and application in (source.applications or {application}):
            return source
    return None


def _loose_header(raw: bytes) -> Header:
    text = raw.decode(_BYTES).lstrip("\ufeff\r\n")
    try:
        return read_header(parse(text.replace("\n", "\r").split("\r", 1)[0]))
    except ContentFault:
        return read_header(parse(_NOTHING))
