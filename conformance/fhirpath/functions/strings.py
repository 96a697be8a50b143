"""String functions. https://hl7.org/fhirpath/N1/#string-manipulation"""

import base64
import binascii
import html
import json
from collections.abc import Callable

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import Function, with_values
from conformance.fhirpath.lexer import unescape as unescape_text
from conformance.fhirpath.nodes import (
    LONGEST_TEXT,
    Nodes,
    boolean,
    integer,
    integer_of,
    string,
    text_of,
)
from conformance.fhirpath.regex import pattern

STRING, BOOLEAN, INTEGER = "System.String", "System.Boolean", "System.Integer"


def text(name: str, operate: Callable[..., Nodes], result: str, arguments: int = 0) -> Function:
    """A function of strings to nodes; empty where the input or an argument is empty."""

    def run(nodes: Nodes, *given: Nodes) -> Nodes:
        values = [text_of(each, name) for each in (nodes, *given)]
        return [] if None in values else operate(*values)

    return with_values(run, result, arguments)


def substring(nodes: Nodes, start: Nodes, length: Nodes | None = None) -> Nodes:
    """The characters from `start` (0-based); empty where it lies outside."""
    found, first = text_of(nodes, "substring"), integer_of(start, "substring")
    if found is None or first is None or not 0 <= first < len(found):
        return []
    count = None if length is None else integer_of(length, "substring")
    return [string(found[first:] if count is None else found[first : first + max(count, 0)])]


def replace(found: str, old: str, new: str) -> Nodes:
    """Every instance of a text by another one; what is to be too long is not made first."""
    if found.count(old) * len(new) > LONGEST_TEXT:
        raise FHIRPathError(f"replace: more than {LONGEST_TEXT} characters")
    return [string(found.replace(old, new))]


def last_index(found: str, part: str) -> Nodes:
    """The last place of a part; of the empty string, the first place."""
    return [integer(found.rfind(part) if part else 0)]


def replace_matches(found: str, expression: str, replacement: str) -> Nodes:
    r"""Replace matches; `$1` and `${name}` in the replacement stand for groups."""
    return [string(pattern(expression).replace(found, replacement) if expression else found)]


def join(nodes: Nodes, separator: Nodes = []) -> Nodes:  # noqa: B006 - read only
    """All strings as one; empty where there are none."""
    between = text_of(separator, "join") or ""
    texts = [text_of([node], "join") for node in nodes]
    if not texts:
        return []
    return [string(between.join(each for each in texts if each is not None))]


def split(found: str, separator: str) -> Nodes:
    """The parts between separators; every character where the separator is empty."""
    return [string(part) for part in (found.split(separator) if separator else found)]


def encode(found: str, code: str) -> Nodes:
    """Encode as base64, urlbase64 or hex."""
    raw = found.encode()
    match code:
        case "base64":
            return [string(base64.b64encode(raw).decode())]
        case "urlbase64":
            return [string(base64.urlsafe_b64encode(raw).decode())]
        case "hex":
            return [string(raw.hex())]
    return []


def decode(found: str, code: str) -> Nodes:
    """Decode base64, urlbase64 or hex; raises FHIRPathError where it is none."""
    try:
        match code:
            case "base64":
                return [string(base64.b64decode(found, validate=True).decode())]
            case "urlbase64":
                return [string(base64.urlsafe_b64decode(found).decode())]
            case "hex":
                return [string(bytes.fromhex(found).decode())]
    except (binascii.Error, ValueError) as error:
        raise FHIRPathError(f"decode: not {code}") from error
    return []


def escape(found: str, target: str) -> Nodes:
    """Escape for html or json."""
    match target:
        case "html":
            return [string(html.escape(found))]
        case "json":
            return [string(json.dumps(found, ensure_ascii=False)[1:-1])]
    return []


def unescape(found: str, target: str) -> Nodes:
    """Undo `escape`."""
    match target:
        case "html":
            return [string(html.unescape(found))]
        case "json":
            return [string(unescape_text(found))]
    return []


FUNCTIONS: dict[str, Function] = {
    "indexOf": text("indexOf", lambda s, part: [integer(s.find(part))], INTEGER, 1),
    "lastIndexOf": text("lastIndexOf", last_index, INTEGER, 1),
    "substring": with_values(substring, STRING, 1, 2),
    "startsWith": text("startsWith", lambda s, part: boolean(s.startswith(part)), BOOLEAN, 1),
    "endsWith": text("endsWith", lambda s, part: boolean(s.endswith(part)), BOOLEAN, 1),
    "contains": text("contains", lambda s, part: boolean(part in s), BOOLEAN, 1),
    "upper": text("upper", lambda s: [string(s.upper())], STRING),
    "lower": text("lower", lambda s: [string(s.lower())], STRING),
    "replace": text("replace", replace, STRING, 2),
    "matches": text("matches", lambda s, regex: boolean(pattern(regex).is_in(s)), BOOLEAN, 1),
    "matchesFull": text(
        "matchesFull",
        lambda s, regex: boolean(pattern(rf"\A(?:{regex})\Z").is_in(s)),
        BOOLEAN,
        1,
    ),
    "replaceMatches": text("replaceMatches", replace_matches, STRING, 2),
    "length": text("length", lambda s: [integer(len(s))], INTEGER),
    "toChars": text("toChars", lambda s: [string(each) for each in s], STRING),
    "trim": text("trim", lambda s: [string(s.strip())], STRING),
    "split": text("split", split, STRING, 1),
    "join": with_values(join, STRING, 0, 1),
    "encode": text("encode", encode, STRING, 1),
    "decode": text("decode", decode, STRING, 1),
    "escape": text("escape", escape, STRING, 1),
    "unescape": text("unescape", unescape, STRING, 1),
}
