"""MLLP: message frames in a stream of bytes, without I/O.

HL7 Minimal Lower Layer Protocol, release 1 (HL7 v2 implementation guide, appendix C).

1. A frame is VT (0B), content, FS (1C), CR (0D). Content is bytes: its character set is not our
   concern, and no character set used with v2 has VT or FS inside a character.
2. Content holds no VT. A VT straight after a VT is framing applied twice: it is counted in
   `Frame.nested` and the content is delivered. A VT after content begins a new frame, and what came
   before it is Garbage "unfinished frame".
3. FS ends a frame only together with CR. FS before VT ends it too: the sender forgot the CR. FS
   before any other byte is content.
4. A frame without content is Garbage "empty frame".
5. Bytes between frames are Garbage "outside a frame", reported when a frame begins, when 4 KiB have
   come together, or at `close`.
6. A frame whose content exceeds `max_frame` is TooLarge, reported as soon as the limit is passed.
   Nothing after it can be trusted: the decoder reads no more and the connection is to be closed.
7. Every byte is looked at a constant number of times, however the stream is cut into reads.
"""

import re
from dataclasses import dataclass

VT, FS, CR = 0x0B, 0x1C, 0x0D
MAX_FRAME = 32 * 1024 * 1024
_MAX_GARBAGE = 4096
_BOUNDARY = re.compile(rb"[\x0b\x1c]")


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole message; `nested` counts the superfluous start bytes before it."""

    content: bytes
    nested: int = 0


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that belong to no whole frame, and why."""

    content: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A frame longer than the limit (bytes); the stream is given up."""

    limit: int


Event = Frame | Garbage | TooLarge


class Decoder:
    """Turns reads of any size into events; see the rules at the top of this file."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._held = bytearray()  # of the open frame, or of the garbage between frames
        self._inside = False
        self._separator_held = False  # an FS whose meaning the next byte decides
        self._nested = 0
        self._given_up = False

    @property
    def is_inside(self) -> bool:
        """True while a frame has begun and not ended: the deadline for its last byte runs."""
        return self._inside

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in the order of the stream."""
        events: list[Event] = []
        at = 0
        while at < len(data) and not self._given_up:
            step = self._inside_frame if self._inside else self._outside_frame
            at = step(data, at, events)
        return events

    def close(self) -> list[Event]:
        """Return what the end of the stream leaves behind."""
        events: list[Event] = []
        if self._separator_held:
            self._held.append(FS)
        if self._held:
            self._drop("unfinished frame" if self._inside else "outside a frame", events)
        return events

    def _outside_frame(self, data: bytes, at: int, events: list[Event]) -> int:
        start = data.find(VT, at)
        room = _MAX_GARBAGE - len(self._held)
        end = min(len(data) if start < 0 else start, at + room)
        self._held += data[at:end]
        if len(self._held) == _MAX_GARBAGE or (self._held and end == start):
            self._drop("outside a frame", events)
        if end != start:
            return end
        self._begin()
        return start + 1

    def _inside_frame(self, data: bytes, at: int, events: list[Event]) -> int:
        if self._separator_held:
            return self._after_separator(data, at, events)
        boundary = _BOUNDARY.search(data, at)
        end = boundary.start() if boundary else len(data)
        self._held += data[at:end]
        if len(self._held) > self._max_frame:
            return self._give_up(events, end)
        if boundary is None:
            return end
        if data[end] == FS:
            self._separator_held = True
        elif self._held:
            self._drop("unfinished frame", events)
            self._begin()
        else:
            self._nested += 1
        return end + 1

    def _after_separator(self, data: bytes, at: int, events: list[Event]) -> int:
        self._separator_held = False
        if data[at] not in (CR, VT):
            self._held.append(FS)
            return at if len(self._held) <= self._max_frame else self._give_up(events, at)
        self._end(events)
        if data[at] == VT:
            self._begin()
        return at + 1

    def _begin(self) -> None:
        self._inside, self._nested = True, 0

    def _end(self, events: list[Event]) -> None:
        if self._held:
            events.append(Frame(bytes(self._held), self._nested))
        else:
            events.append(Garbage(b"", "empty frame"))
        self._held = bytearray()
        self._inside = False

    def _drop(self, reason: str, events: list[Event]) -> None:
        events.append(Garbage(bytes(self._held), reason))
        self._held = bytearray()

    def _give_up(self, events: list[Event], at: int) -> int:
        events.append(TooLarge(self._max_frame))
        self._held = bytearray()
        self._given_up = True
        return at


def encode(content: bytes) -> bytes:
    """Frame a message; raises ValueError for content that would break its own frame."""
    if VT in content or b"\x1c\r" in content or content.endswith(b"\x1c"):
        raise ValueError("content must not hold VT, nor FS before CR")
    return b"\x0b" + content + b"\x1c\r"
