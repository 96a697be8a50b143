r"""Escape sequences of v2 text.

HL7 v2.5.1 section 2.7, https://www.hl7.eu/HL7v2x/v251/std251/ch02.html#Heading86

`\F\ \S\ \T\ \R\ \E\` are the separators, `\X0D0A\` is bytes, `\.br\` and `\.sp2\` are line breaks,
`\.sk3\` is spaces; highlighting and indentation (`\H\ \N\ \.in+4\`) have no plain text. What is
unknown or unfinished stays as it was sent.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_MAX_BREAKS = 64
_COUNT = re.compile(r"\.(sp|sk)\s*\+?(\d{1,3})?")
_FORMAT = re.compile(r"\.(in|ti)\s*[+-]?\d{1,3}|\.(fi|nf)|[HN]")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2}){1,4096})")


class Separators(NamedTuple):
    """The five characters that MSH-1 and MSH-2 define."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


def unescape(text: str, separators: Separators) -> str:
    """Return the plain text of one subcomponent."""
    if separators.escape not in text or not separators.escape:
        return text
    return _sequence(separators.escape).sub(lambda found: _plain(found, separators), text)


def escape(text: str, separators: Separators) -> str:
    """Return `text` with separators escaped and control characters as hexadecimal escapes."""
    mark = separators.escape
    names = dict(zip(separators, "FSRET", strict=True))
    out = []
    for character in text:
        if character in names:
            out.append(f"{mark}{names[character]}{mark}")
        elif character < " " or character == "\x7f":
            out.append(f"{mark}X{ord(character):02X}{mark}")
        else:
            out.append(character)
    return "".join(out)


@lru_cache(maxsize=16)
def _sequence(mark: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(mark)}([^{re.escape(mark)}]*){re.escape(mark)}")


def _plain(found: re.Match[str], separators: Separators) -> str:
    match found.group(1):
        case "F":
            return separators.field
        case "S":
            return separators.component
        case "R":
            return separators.repetition
        case "E":
            return separators.escape
        case "T":
            return separators.subcomponent
        case ".br" | ".ce":
            return "\n"
        case code:
            return _counted(code) or _bytes(code) or _unprinted(code, found.group())


def _counted(code: str) -> str:
    found = _COUNT.fullmatch(code)
    if found is None:
        return ""
    count = min(int(found.group(2) or 1), _MAX_BREAKS)
    return ("\n" if found.group(1) == "sp" else " ") * count


def _bytes(code: str) -> str:
    found = _HEX.fullmatch(code)
    if found is None:
        return ""
    try:
        return bytes.fromhex(found.group(1)).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _unprinted(code: str, whole: str) -> str:
    return "" if _FORMAT.fullmatch(code) else whole
