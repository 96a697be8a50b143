"""Checks of primitive values: JSON type, format, range, and that dates exist.

https://hl7.org/fhir/R4/datatypes.html#primitive, https://hl7.org/fhir/R4/json.html#primitive
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from conformance.definitions import Type
from conformance.validation.faults import Check, Fault, Faults, fault, wrong
from conformance.validation.narrative import check_div

MAX_INTEGER = 2**31 - 1
MAX_STRING = 1024 * 1024

# What each type is, for messages; the format itself comes from the definitions.
FORMATS = {
    "base64Binary": "base64 in groups of four characters",
    "canonical": "a URI without spaces, optionally with |version",
    "code": "a code without leading, trailing or double spaces",
    "date": "a date YYYY, YYYY-MM or YYYY-MM-DD that exists",
    "dateTime": "a date that exists, or a date and time with seconds and a time zone",
    "id": "an id of 1 to 64 letters, digits, '-' and '.'",
    "instant": "a date that exists and a time with seconds and a time zone",
    "markdown": "text that is not empty, without control characters",
    "oid": "urn:oid: followed by an OID",
    "string": "text that is not empty, without control characters",
    "time": "a time hh:mm:ss",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "uuid": "urn:uuid: followed by a UUID in lower case",
}
INTEGERS = {
    "integer": (-MAX_INTEGER - 1, MAX_INTEGER),
    "unsignedInt": (0, MAX_INTEGER),
    "positiveInt": (1, MAX_INTEGER),
}
DATES = ("date", "dateTime", "instant")

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_BASE64 = re.compile(r"[0-9A-Za-z+/]*={0,2}")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:[|#?].*)?")
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+(?:[|#?].*)?")
_SPACE = re.compile(r"\s+")


def primitive_checks(types: Mapping[str, Type]) -> dict[str, Check]:
    """A check for each primitive type, by its name."""
    names = [name for name, each in types.items() if each.kind == "primitive-type"]
    return {name: _check_of(name, types[name].regex) for name in names}


def _check_of(name: str, regex: str) -> Check:
    match name:
        case "boolean":
            return check_boolean
        case "decimal":
            return check_decimal
        case "integer" | "unsignedInt" | "positiveInt":
            return _integer(name, *INTEGERS[name])
        case "xhtml":
            return check_div
        case "base64Binary":
            return check_base64
        case "date" | "dateTime" | "instant":
            return _date(name, regex)
        case "uri" | "url" | "canonical":
            return _uri(name)
        case _:
            return _text(name, regex)


def check_boolean(value: Any) -> Faults:
    """`true` or `false`."""
    return None if value.__class__ is bool else wrong("structure", value, "true or false")


def check_decimal(value: Any) -> Faults:
    """Any JSON number."""
    if value.__class__ in (int, Decimal, float):
        return None
    return wrong("structure", value, "a JSON number")


def _integer(name: str, lowest: int, highest: int) -> Check:
    def check(value: Any) -> Faults:
        if value.__class__ is int:
            if lowest <= value <= highest:
                return None
            return wrong("value", value, f"a number from {lowest} to {highest} ({name})")
        is_number = value.__class__ in (Decimal, float)
        code = "value" if is_number else "structure"
        return wrong(code, value, f"a JSON number without a decimal point ({name})")

    return check


def _text(name: str, regex: str) -> Check:
    # FHIR's expressions mean ASCII white space: an ideographic space is a character like others.
    matches = re.compile(regex, re.ASCII).fullmatch

    def check(value: Any) -> Faults:
        if value.__class__ is not str:
            return not_text(name, value)
        if matches(value) is None:
            return wrong("value", value, FORMATS[name])
        if len(value) > MAX_STRING:
            return fault(
                "too-long", f"found {len(value):,} characters, expected at most {MAX_STRING:,}"
            )
        return None

    return check


def _date(name: str, regex: str) -> Check:
    matches = re.compile(regex, re.ASCII).fullmatch

    def check(value: Any) -> Faults:
        if value.__class__ is not str:
            return not_text(name, value)
        if matches(value) is None or not day_exists(value):
            return wrong("value", value, FORMATS[name])
        return None

    return check


def day_exists(date: str) -> bool:
    """Whether the day of a well-formed date is in its month."""
    day = date[8:10]
    return day < "29" or int(day) <= monthrange(int(date[:4]), int(date[5:7]))[1]


def _uri(name: str) -> Check:
    wants_absolute = name == "canonical"

    def check(value: Any) -> Faults:
        if value.__class__ is not str:
            return not_text(name, value)
        if value == "" or _SPACE.search(value):
            return wrong("value", value, FORMATS[name])
        if value[0] == "#":
            text = missing(value) if wants_absolute else ""
            return [Fault("", "not-found", text, pending=value)]
        if wants_absolute and _ABSOLUTE.fullmatch(value) is None:
            return wrong("value", value, "an absolute URL, or #id of a contained resource")
        if value.startswith("urn:"):
            return _urn(value)
        return None

    return check


def _urn(value: str) -> Faults:
    if value.startswith("urn:uuid:") and _UUID.fullmatch(value) is None:
        return wrong("value", value, FORMATS["uuid"])
    if value.startswith("urn:oid:") and _OID.fullmatch(value) is None:
        return wrong("value", value, FORMATS["oid"])
    return None


def missing(literal: str) -> str:
    """What to say of a local reference that leads nowhere."""
    return f'found "{literal}", expected a contained resource with that id'


def is_absolute(uri: str) -> bool:
    """Whether a URI has a scheme."""
    return _ABSOLUTE.fullmatch(uri) is not None


def check_base64(value: Any) -> Faults:
    """Base64, white space allowed; by other means than the published, exponential expression."""
    if value.__class__ is not str:
        return not_text("base64Binary", value)
    bare = _SPACE.sub("", value)
    if bare and len(bare) % 4 == 0 and _BASE64.fullmatch(bare):
        return None
    return wrong("value", value, FORMATS["base64Binary"])


def not_text(name: str, value: Any) -> list[Fault]:
    """The fault of a value that should be a JSON string."""
    return wrong("structure", value, f"a JSON string ({name})")
