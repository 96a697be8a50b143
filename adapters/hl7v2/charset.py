"""From the bytes of a message to its text, strictly.

HL7 table 0211, https://terminology.hl7.org/CodeSystem-v2-0211.html

1. The whole message is decoded before it is split: 466 characters of GB18030 have a second byte
   that equals a v2 separator.
2. MSH-18 decides. Where it is blank the source's default decides; where there is none, the message
   is UTF-8 if it is valid UTF-8, else GB18030. UTF-8 comes first, because most UTF-8 text is also
   valid GB18030.
3. Bytes that do not fit are a fault. Nothing is ever replaced by a question mark.
"""

import re
from dataclasses import dataclass

from adapters.hl7v2.faults import DATA_TYPE, TABLE_VALUE, ContentFault, Location

CODECS = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "BIG-5": "big5",
    "BIG5": "big5",
    "KS X 1001": "euc_kr",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
}
_MSH_18 = Location("MSH", 1, 18)
_LINE = re.compile(rb"[^\r\n]*")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the Python codec that gave it, and the rule that chose it: declared, default, guessed.

    `doubt` is set where a declared GB18030 message is also valid UTF-8 with multi-byte characters.
    """

    text: str
    codec: str
    rule: str
    doubt: bool = False


def decode(raw: bytes, default: str | None = None) -> Decoded:
    """Decode a whole message; `default` is a table 0211 name used where MSH-18 is blank.

    Raises ContentFault 103 for a character set we do not know, 102 for bytes that do not fit it.
    """
    raw = raw.removeprefix(_BOM)
    declared = declared_charset(raw)
    if declared:
        codec = _codec(declared)
        return Decoded(_strict(raw, codec), codec, "declared", codec == "gb18030" and _is_utf8(raw))
    if default:
        codec = _codec(default)
        return Decoded(_strict(raw, codec), codec, "default")
    try:
        return Decoded(raw.decode("utf-8"), "utf-8", "guessed")
    except UnicodeDecodeError:
        return Decoded(_strict(raw, "gb18030"), "gb18030", "guessed")


def declared_charset(raw: bytes) -> str:
    """Return MSH-18 of an undecoded message, or the empty string."""
    line = _LINE.match(raw.lstrip(b"\r\n"))
    header = _any(line.group() if line else b"")
    if not header.startswith("MSH") or len(header) < 5:
        return ""
    fields = header.split(header[3])
    repetition = header[5:6] if header[5:6] not in ("", header[3]) else "~"
    return fields[17].split(repetition)[0].strip() if len(fields) > 17 else ""


def _codec(name: str) -> str:
    codec = CODECS.get(name.upper())
    if codec is None:
        known = ", ".join(CODECS)
        raise ContentFault(TABLE_VALUE, _MSH_18, f"unknown character set {name!r}; known: {known}")
    return codec


def _strict(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        wrong = raw[error.start : error.start + 4].hex(" ")
        raise ContentFault(
            DATA_TYPE, _MSH_18, f"byte {error.start} ({wrong}) is not {codec} text"
        ) from error


def _any(raw: bytes) -> str:
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _is_utf8(raw: bytes) -> bool:
    try:
        return not raw.isascii() and bool(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return False
