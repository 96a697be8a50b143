"""Token parameters: codes and identifiers, alone or with the system that gives them meaning.

https://hl7.org/fhir/R4/search.html#token

Beside the token itself, `PARAM:text` holds the words that go with it as full text keeps them
(`:text`), and `PARAM:of-type` an identifier's value under the type of identifier that it is
(`:of-type`).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_server.model import Entry
from fhir_server.search.alternatives import Alternatives, cond
from fhir_server.search.escape import split, unescape
from fhir_server.search.recall import recalled
from fhir_server.search.words import kept

_kept = recalled(kept)
EXPECTED = "code, system|code, |code or system|"
EXPECTED_OF_TYPE = "system|code|value, all three of them"
_END = "\x1f"


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield the tokens and their texts of any type that R4 searches as token."""
    match fhir_type, value:
        case _, bool():
            yield Entry(param, "true" if value else "false")
        case "string", str():
            # R4 compares plain strings without case: each is also there in lower case.
            yield from (Entry(param, text) for text in dict.fromkeys((value, value.casefold())))
        case _, str() | int() | Decimal():
            yield Entry(param, str(value))
        case "CodeableConcept", dict():
            for coding in value.get("coding", ()):
                yield from _coding(param, coding)
            yield from _words(param, value.get("text"))
        case "Identifier", dict():
            yield from _identifier(param, value)
        case "ContactPoint", dict():
            if "value" in value:
                yield Entry(param, value["value"])
        case _, {"code": _} | {"system": _}:
            yield from _coding(param, value)


def _coding(param: str, coding: dict[str, Any]) -> Iterator[Entry]:
    code, system = coding.get("code", ""), coding.get("system", "")
    if code or system:
        yield Entry(param, code, system)
    yield from _words(param, coding.get("display"))


def _identifier(param: str, identifier: dict[str, Any]) -> Iterator[Entry]:
    value, kind = identifier.get("value", ""), identifier.get("type", {})
    system = identifier.get("system", "")
    if value or system:
        yield Entry(param, value, system)
    for coding in kind.get("coding", ()):
        named = f"{coding.get('system', '')}{_END}{coding.get('code', '')}"
        yield Entry(f"{param}:of-type", value, named)
    yield from _words(param, kind.get("text"))


def _words(param: str, text: Any) -> Iterator[Entry]:
    if isinstance(text, str) and text.strip():
        yield Entry(f"{param}:text", _kept(text), text)


def alternatives(text: str, implied: frozenset[tuple[str, str]] = frozenset()) -> Alternatives:
    """Return what a token text demands of an entry; raises ValueError with the form expected.

    `implied` are the (system, code) pairs that the element's own value set gives to bare codes.
    """
    parts = [unescape(part) for part in split(text, "|")]
    match parts:
        case [code] if code:
            return (cond("v", "=", code),)
        case [system, ""] if system:
            bare = (
                cond("v", "=", code) + cond("w", "=", "") for of, code in implied if of == system
            )
            return cond("w", "=", system), *bare
        case [system, code] if code:
            pair = cond("v", "=", code) + cond("w", "=", system)
            if (system, code) in implied:
                return pair, cond("v", "=", code) + cond("w", "=", "")
            return (pair,)
    raise ValueError(EXPECTED)


def of_type(text: str) -> Alternatives:
    """Return what `system|code|value` demands of an entry; ValueError if a part is missing."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise ValueError(EXPECTED_OF_TYPE)
    system, code, value = parts
    return (cond("v", "=", value) + cond("w", "=", f"{system}{_END}{code}"),)
