"""A message as a listing of its fields with their names, for people.

https://www.hl7.eu/HL7v2x/v251/hl7v251.htm
"""

from collections.abc import Iterator

from adapters.hl7v2.charset import decode
from adapters.hl7v2.fields import FIELD_NAMES
from adapters.hl7v2.message import Segment, parse

_WIDTH = 34


def show(raw: bytes, default_charset: str | None = None) -> str:
    """Return a line for each segment and each repetition of its fields, as they were sent.

    Raises ContentFault where the bytes are no message.
    """
    decoded = decode(raw, default_charset)
    lines = [f"{decoded.codec} ({decoded.rule})"]
    for segment in parse(decoded.text).segments:
        lines.append(segment.name)
        lines += _fields(segment)
    return "\n".join(lines) + "\n"


def _fields(segment: Segment) -> Iterator[str]:
    names = FIELD_NAMES.get(segment.name, ())
    for number, raw in segment.fields():
        name = names[number - 1] if number <= len(names) else ""
        whole = segment.name == "MSH" and number <= 2
        for part in [raw] if whole else raw.split(segment.separators.repetition):
            yield f"  {segment.name}-{number:<3} {name:<{_WIDTH}} {_visible(part)}".rstrip()


def _visible(text: str) -> str:
    return "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )
