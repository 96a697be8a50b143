"""A v2 message as segments whose fields are split when they are asked for.

HL7 v2.5.1 chapter 2, https://www.hl7.eu/HL7v2x/v251/std251/ch02.html

1. The separators come from MSH-1 and MSH-2; those that MSH-2 leaves out are the usual ones.
2. Segments end with CR; LF and CR LF are accepted. In a message with CR, a lone LF is data.
3. Every segment is kept, whatever its name; nothing is rewritten: `encode` returns what was parsed.
4. An empty field says nothing; the field `""` says "no value".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2.escapes import Separators, unescape
from adapters.hl7v2.faults import DATA_TYPE, SEGMENT_SEQUENCE, ContentFault, Location

NULL = '""'
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_USUAL = Separators()
_NOT_TEXT = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])  # FHIR strings hold none


class Element:
    """One repetition of a field."""

    __slots__ = ("raw", "separators")

    def __init__(self, raw: str, separators: Separators) -> None:
        self.raw = raw
        self.separators = separators

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """Return the plain text of a component (1-based), empty where absent or null."""
        parts = self.raw.split(self.separators.component)
        if component > len(parts):
            return ""
        parts = parts[component - 1].split(self.separators.subcomponent)
        if subcomponent > len(parts):
            return ""
        return _plain(parts[subcomponent - 1], self.separators)

    def whole(self) -> str:
        """Return the plain text of the repetition, its separators left as they are."""
        return _plain(self.raw, self.separators)


class Segment:
    """One line of a message; fields are numbered as the standard numbers them, from 1."""

    __slots__ = ("_fields", "name", "ordinal", "raw", "separators")

    def __init__(self, raw: str, separators: Separators, ordinal: int) -> None:
        self.raw = raw
        self.name = raw[:3]
        self.separators = separators
        self.ordinal = ordinal
        self._fields: list[str] | None = None

    def field(self, number: int) -> str:
        """Return a field as it was sent, empty where it is absent."""
        if self._fields is None:
            self._fields = self.raw.split(self.separators.field)
            if self.name == "MSH":
                self._fields.insert(1, self.separators.field)
        return self._fields[number] if number < len(self._fields) else ""

    def is_null(self, number: int) -> bool:
        """Tell whether a field is `""`: its sender deletes the value."""
        return self.field(number) == NULL

    def speaks_of(self, number: int) -> bool:
        """Tell whether a field has anything to say: a value or a null."""
        return bool(self.field(number).strip())

    def elements(self, number: int) -> list[Element]:
        """Return the repetitions of a field that hold something, without null ones."""
        raw = self.field(number)
        if not raw or raw == NULL:
            return []
        parts = raw.split(self.separators.repetition)
        return [Element(part, self.separators) for part in parts if part and part != NULL]

    def element(self, number: int) -> Element:
        """Return the first repetition of a field, an empty one where the field is absent."""
        raw = self.field(number).split(self.separators.repetition, 1)[0]
        return Element("" if raw == NULL else raw, self.separators)

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return the plain text of a part of a field's first repetition."""
        return self.element(number).text(component, subcomponent)

    def fields(self) -> Iterator[tuple[int, str]]:
        """Yield number and content of every field that has one."""
        self.field(1)
        for number, raw in enumerate(self._fields or ()):
            if number and raw:
                yield number, raw

    def fault(self, code: str, field: int, text: str, component: int = 0) -> ContentFault:
        """Return the fault of a field of this segment, for the caller to raise."""
        return ContentFault(code, Location(self.name, self.ordinal, field, component), text)


@dataclass(frozen=True, slots=True)
class Message:
    """Segments in the order they were sent; lines and terminator are kept to write them again."""

    separators: Separators
    segments: tuple[Segment, ...]
    lines: tuple[str, ...]
    terminator: str

    def all(self, name: str) -> list[Segment]:
        """Return the segments of a name."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    @property
    def msh(self) -> Segment:
        """The header segment."""
        return self.segments[0]


def parse(text: str) -> Message:
    r"""Parse a message; raises ContentFault where it has no MSH or a line is no segment.

    >>> parse("MSH|^~\\&|HIS|H1\rPID|||7^^^H1\r").segments[1].text(3, 4)
    'H1'
    """
    terminator = "\r" if "\r" in text else "\n"
    lines = text.split(terminator)
    separators = _separators(lines)
    segments: list[Segment] = []
    counts: dict[str, int] = {}
    for line in lines:
        raw = line.lstrip("\n")
        if not raw or raw.isspace():
            continue
        name = raw[:3]
        counts[name] = ordinal = counts.get(name, 0) + 1
        if raw[3:4] != separators.field and (len(raw) > 3 or not _NAME.match(name)):
            raise _stray(raw, segments[-1])
        segments.append(Segment(raw, separators, ordinal))
    return Message(separators, tuple(segments), tuple(lines), terminator)


def encode(message: Message) -> str:
    """Return the text that was parsed, character for character."""
    return message.terminator.join(message.lines)


def _plain(raw: str, separators: Separators) -> str:
    if raw == NULL:
        return ""
    text = unescape(raw, separators).strip()
    return text if text.isprintable() else text.translate(_NOT_TEXT).strip()


def _separators(lines: list[str]) -> Separators:
    header = next((line.lstrip("\n") for line in lines if line.strip()), "")
    if not header.startswith("MSH"):
        raise ContentFault(
            SEGMENT_SEQUENCE, Location("MSH"), "a message begins with MSH; batches are split before"
        )
    field = header[3:4]
    marks = header[4:].split(field, 1)[0] if field else ""
    found = Separators(field, *(marks[i : i + 1] or _USUAL[i + 1] for i in range(4)))
    if not field or not all(map(_is_mark, found)) or len(set(found)) < len(found):
        wanted = "five different characters such as |^~\\&"
        raise ContentFault(DATA_TYPE, Location("MSH", 1, 2), f"the separators must be {wanted}")
    return found


def _is_mark(character: str) -> bool:
    """Tell what an acknowledgement can echo: no control character, which may end its frame."""
    return character.isprintable() and not character.isalnum() and not character.isspace()


def _stray(raw: str, before: Segment) -> ContentFault:
    where = Location(before.name, before.ordinal)
    text = f"the line after this segment is no segment: {len(raw)} characters without a name"
    return ContentFault(SEGMENT_SEQUENCE, where, f"{text}; a line break inside a field is \\.br\\")
