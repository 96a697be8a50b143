"""A parameter with its modifier and text, made into a predicate.

https://hl7.org/fhir/R4/search.html#modifiers

1. Which modifier goes with which type of parameter is a table in `asked`; any other is a 400.
2. A comma means or. What cannot be read is a 400 that names the parameter, the value and the form.
3. What R4 allows and the hub does not do yet is a 501 that names it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeVar

from fhir_server.errors import BadRequest, NotSupported
from fhir_server.search import (
    coded,
    date,
    hierarchy,
    near,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from fhir_server.search.alternatives import Alternatives, anyone, cond
from fhir_server.search.asked import Asked, check_modifier
from fhir_server.search.elements import implied_codes, is_text, reads_canonicals
from fhir_server.search.escape import split, unescape
from fhir_server.search.phrases import phrase
from fhir_server.search.sought import settled
from fhir_server.search.tree import Direction, Match, Node, Not, Together, Words, both, either

_DIRECTIONS: dict[str, Direction] = {"above": "above", "below": "below"}
_OTHER_ENTRIES = ("identifier", "of-type")
"""Modifiers that look at entries of their own, named `PARAM:MODIFIER`."""


T = TypeVar("T")


def condition(asked: Asked, text: str) -> Node:
    """Return the predicate of `name=text`.

    Raises `BadRequest` for a modifier that does not go with the parameter and for a text that
    cannot be read, `NotSupported` for what the hub does not do yet.
    """
    check_modifier(asked)
    if asked.modifier == "missing":
        return _missing(asked, text)
    if asked.parameter.type == "special" and asked.parameter.code != "near":
        raise NotSupported(f"The parameter {asked.name} is not supported")
    values = split(text, ",")
    if not all(values):
        raise BadRequest(f"{asked.name}={text}: a value is empty; leave it out, or give one")
    if asked.parameter.type == "composite":
        return either(*(_composite(asked, value) for value in values))
    if asked.modifier == "text":
        return _text(asked, values)
    if asked.parameter.type == "reference" and asked.modifier in ("above", "below"):
        return _along(asked, values)
    if asked.parameter.code == "url" and "|" in text:
        return either(*(_versioned_url(asked, value) for value in values))
    if (reader := _BEYOND.get((asked.parameter.type, asked.modifier))) is not None:
        found = either(*(_reading(asked, value, reader) for value in values))
    else:
        found = anyone(_entries_asked(asked), (c for v in values for c in _read(asked, v)))
    return Not(found) if asked.modifier in ("not", "not-in") else found


def _missing(asked: Asked, text: str) -> Node:
    if text not in ("true", "false"):
        raise BadRequest(f"{asked.name}={text}: expected true or false")
    code = asked.parameter.code
    more = {"token": "text", "reference": "identifier"}.get(asked.parameter.type)
    present = either(Match(code), *([Match(f"{code}:{more}")] if more else []))
    return Not(present) if text == "true" else present


def _entries_asked(asked: Asked) -> str:
    return asked.name if asked.modifier in _OTHER_ENTRIES else asked.parameter.code


def _read(asked: Asked, value: str) -> Alternatives:
    """Return what one value demands of an entry; raises `BadRequest` naming the form expected."""
    return _reading(asked, value, _READ[asked.parameter.type])


def _reading(asked: Asked, value: str, read: Callable[[Asked, str], T]) -> T:
    try:
        return read(asked, value)
    except ValueError as fault:
        raise BadRequest(
            f"{asked.name}={value}: cannot be read as a {asked.parameter.type}; expected {fault}"
        ) from None


def _date(asked: Asked, value: str) -> Alternatives:
    return date.alternatives(value, asked.terms)


def _number(asked: Asked, value: str) -> Alternatives:
    return number.alternatives(value)


def _string(asked: Asked, value: str) -> Alternatives:
    return string.alternatives(unescape(value), asked.modifier)


def _token(asked: Asked, value: str) -> Alternatives:
    if asked.modifier == "of-type":
        return token.of_type(value)
    if "|" in value:
        return token.alternatives(value, _implied(asked))
    found = token.alternatives(value)
    if is_text(asked.definitions, asked.type, asked.parameter):
        return *found, cond("v", "=", unescape(value).casefold())
    return found


def _uri(asked: Asked, value: str) -> Alternatives:
    if asked.parameter.code == "_profile":
        return uri.canonical(unescape(value), asked.modifier)
    return uri.alternatives(unescape(value), asked.modifier)


def _reference(asked: Asked, value: str) -> Alternatives:
    if asked.modifier == "identifier":
        return token.alternatives(value)
    known = asked.definitions.resource_types
    base = asked.terms.base
    if not asked.modifier:
        return reference.alternatives(unescape(value), asked.targets, known, base)
    return reference.alternatives(unescape(value), (asked.modifier,), (asked.modifier,), base)


_READ: dict[str, Callable[[Asked, str], Alternatives]] = {
    "number": _number,
    "date": _date,
    "string": _string,
    "token": _token,
    "reference": _reference,
    "uri": _uri,
}


def _in_value_set(asked: Asked, value: str) -> Node:
    return coded.in_value_set(asked.parameter.code, value, _implied(asked))


def _below(asked: Asked, value: str) -> Node:
    return coded.subsumed(asked.parameter.code, value, "below", _implied(asked))


def _above(asked: Asked, value: str) -> Node:
    return coded.subsumed(asked.parameter.code, value, "above", _implied(asked))


def _implied(asked: Asked) -> frozenset[tuple[str, str]]:
    return implied_codes(asked.definitions, asked.type, asked.parameter)


def _along(asked: Asked, values: Iterable[str]) -> Node:
    code, direction = asked.parameter.code, _DIRECTIONS[asked.modifier]
    versions: list[Alternatives] = []
    named: list[Alternatives] = []
    for value in values:
        bar = "|" in value or reads_canonicals(asked.definitions, asked.type, asked.parameter)
        (versions if bar else named).append(_reading(asked, value, _version if bar else _record))
    records = (str(each.value) for some in named for conds in some for each in conds[:1])
    return either(
        anyone(code, (conds for some in versions for conds in some)),
        hierarchy.along(asked.definitions, code, records, direction),
    )


def _version(asked: Asked, value: str) -> Alternatives:
    url, _, version = unescape(value).partition("|")
    if ":" not in url:
        raise ValueError("a canonical URL, perhaps |version")
    return hierarchy.versions(url, version, _DIRECTIONS[asked.modifier])


def _record(asked: Asked, value: str) -> Alternatives:
    known, base = asked.definitions.resource_types, asked.terms.base
    return reference.alternatives(unescape(value), asked.targets, known, base)


def _quantity(asked: Asked, value: str) -> Node:
    where, alternatives = quantity.alternatives(value)
    return anyone(asked.parameter.code + where, alternatives)


def _text(asked: Asked, values: Iterable[str]) -> Node:
    """Words beside the code, the last one perhaps only begun: "a partial search on the text".

    Full text, where it is kept, leads to the records that have the words at all; `meta` is not in
    it.
    """
    code = asked.parameter.code
    settled(asked.terms, asked.type)
    sought = [_reading(asked, value, _begun) for value in values]
    found = anyone(f"{code}:text", (cond("v", "contains", words.sought) for words in sought))
    kept = asked.terms.full_text.covers(asked.type) and not code.startswith("_")
    return both(either(*sought), found) if kept else found


def _begun(asked: Asked, value: str) -> Words:
    return replace(phrase("content", unescape(value)), begins=True)


def _near(asked: Asked, value: str) -> Node:
    return near.near(asked.parameter.code, value)


_BEYOND: dict[tuple[str, str], Callable[[Asked, str], Node]] = {
    ("token", "in"): _in_value_set,
    ("token", "not-in"): _in_value_set,
    ("token", "below"): _below,
    ("token", "above"): _above,
    ("quantity", ""): _quantity,
    ("special", ""): _near,
}
"""Type and modifier of what is not asked of the parameter's own entries alone."""


def _composite(asked: Asked, value: str) -> Node:
    """https://hl7.org/fhir/R4/search.html#combining: all parts of one value, in one place."""
    parts = split(value, "$")
    codes = [code for code, _ in asked.parameter.components]
    if len(parts) != len(codes) or not all(parts):
        raise BadRequest(f"{asked.name}={value}: expected {'$'.join(codes)}")
    parameters = asked.definitions.search_parameters(asked.type)
    read = [
        component(replace(asked, parameter=parameters[code], modifier=""), part)
        for code, part in zip(codes, parts, strict=True)
    ]
    return together(asked.parameter.code, read)


Component = tuple[Alternatives, Alternatives | None]
"""What is demanded of a part as it is written, and of a quantity in base units."""

ANYTHING: Alternatives = ((),)


def component(asked: Asked, value: str) -> Component:
    """Return what one value demands of a part of a composite."""
    if asked.parameter.type != "quantity":
        return _read(asked, value), None
    where, found = _reading(asked, value, lambda _, text: quantity.alternatives(text))
    return (ANYTHING, found) if where else (found, ANYTHING)


def together(code: str, read: Sequence[Component]) -> Node:
    """Return that a composite has its parts in one place.

    Behind all parts, extraction puts the quantities among them in base units:
    `code-value-quantity.2` is `.1` so.
    """
    plain = [written for written, _ in read]
    counted = [counted for _, counted in read if counted is not None]
    wanted = (*plain, *counted) if any(each != ANYTHING for each in counted) else plain
    return either(*(Together(code, parts) for parts in product(*wanted)))


def _versioned_url(asked: Asked, value: str) -> Node:
    """https://hl7.org/fhir/R4/search.html#uri: `url|version` asks for the version too."""
    url, _, version = unescape(value).partition("|")
    if not url:
        raise BadRequest(f"{asked.name}={value}: expected url or url|version")
    found = Match("url", cond("v", "=", url))
    return both(found, Match("version", cond("v", "=", version))) if version else found
