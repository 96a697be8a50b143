"""References: the literal is well-formed, and where it tells a type, that type is allowed.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from collections.abc import Callable
from typing import Any

from conformance.validation.faults import Fault, Faults, warning, wrong
from conformance.validation.primitives import missing

Reference = dict[str, Any]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_URN = re.compile(r"urn:(?:uuid:[0-9a-fA-F-]{36}|oid:[0-2](?:\.(?:0|[1-9][0-9]*))+)")


def literal_pattern(resource_types: frozenset[str]) -> re.Pattern[str]:
    """`[base/]Type/id[/_history/vid]`: https://hl7.org/fhir/R4/references.html#regex"""
    types = "|".join(sorted(resource_types))
    return re.compile(
        r"(?P<base>https?://(?:[A-Za-z0-9\-\\.:%$]*/)+)?"
        rf"(?P<type>{types})/[A-Za-z0-9\-.]{{1,64}}(?:/_history/[A-Za-z0-9\-.]{{1,64}})?"
        r"(?:#\S*)?"
    )


def reference_check(
    resource_types: frozenset[str], matches: Callable[[str], re.Match[str] | None]
) -> Callable[[Reference, tuple[str, ...]], Faults]:
    """A check of a Reference that is an object already, against the types allowed; none: any.

    `matches` is that of `literal_pattern`.
    """
    conditional = re.compile(rf"(?:{'|'.join(sorted(resource_types))})\?\S+").fullmatch

    def check(reference: Reference, allowed: tuple[str, ...]) -> Faults:
        literal = reference.get("reference")
        stated = reference.get("type")
        type_name = stated if stated.__class__ is str and stated in resource_types else ""
        if literal.__class__ is not str or not literal:
            return _not_allowed(type_name, allowed)
        found = matches(literal)
        if found is None:
            if literal[0] == "#":
                return [Fault("", "not-found", missing(literal), pending=literal)]
            if literal.startswith(("urn:uuid:", "urn:oid:")):
                return None if _URN.fullmatch(literal) else odd(literal)
            if _URL.fullmatch(literal) or conditional(literal):
                return None
            return malformed(literal)
        literal_type = found["type"]
        if type_name and literal_type != type_name:
            return wrong("value", literal, f"a reference to {type_name}, as its type says")
        return _not_allowed(literal_type, allowed)

    return check


def odd(literal: str) -> list[Fault]:
    """What to say of a URN that can name nothing but by agreement."""
    return warning("value", f'found "{literal}", expected a UUID or OID after urn:')


def malformed(literal: str) -> list[Fault]:
    """The fault of a literal that is no reference."""
    return wrong("value", literal, "Type/id, an absolute URL, urn:uuid:, urn:oid: or #id")


def _not_allowed(type_name: str, allowed: tuple[str, ...]) -> Faults:
    if not type_name or not allowed or type_name in allowed:
        return None
    return [
        Fault("", "value", f"found a reference to {type_name}, expected {' or '.join(allowed)}")
    ]
