"""Shapes: the check of an object of one type.

https://hl7.org/fhir/R4/json.html
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from conformance.validation import elements
from conformance.validation.elements import Handler, Json
from conformance.validation.faults import Check, Fault, Faults, fault, wrong
from conformance.validation.invariants import Rule

MALFORMED = frozenset({"structure", "value", "required", "too-long"})


class Required(NamedTuple):
    """`keys`: properties of which one must be there."""

    name: str
    min: int
    keys: frozenset[str]


class Shape(NamedTuple):
    """What a type's check looks up; filled after it is made, for types that hold themselves."""

    handlers: dict[str, Handler]
    required: list[Required]
    choices: list[frozenset[str]]
    rules: list[Rule]


def object_check(  # noqa: C901 - see within
    name: str, shape: Shape, *, needs_children: bool
) -> Check:
    """The check of an object: its properties, what it must and may have, and its rules."""
    handlers, required, choices, rules = shape

    def check(value: Any) -> Faults:  # noqa: C901 - one function: calls cost most here
        if value.__class__ is not dict or not value:
            return wrong("structure", value, f"an object that is not empty ({name})")
        faults: list[Fault] = []
        for key, item in value.items():
            handle = handlers.get(key)
            if handle is None:
                faults += elements.unknown(key, name)
            elif found := handle(item, value):
                faults += found
        for element, least, keys in required:
            if keys.isdisjoint(value):
                faults += fault("required", f"found no {element}, expected at least {least}")
        for keys in choices:
            if len(given := keys & value.keys()) > 1:
                faults += elements.several_choices(given)
        if needs_children and len(value) == 1 and "id" in value:
            faults += fault("invariant", elements.ONLY_ID)
        if faults:
            lacking = [keys for _, _, keys in required if keys.isdisjoint(value)]
            return faults + list(_on_what_is_sound(value, rules, faults, lacking)) or None
        for wanted, rule, _ in rules:
            if (wanted is None or not wanted.isdisjoint(value)) and (found := rule(value)):
                faults += found
        return faults or None

    return check


_DIRECT = re.compile(r"\.(\w+)(?:\.ofType\(\w+\))?(?:\[\d+\])?")


def _on_what_is_sound(
    value: Json, rules: list[Rule], faults: list[Fault], lacking: list[frozenset[str]]
) -> Iterator[Fault]:
    """What the rules find that do not depend on what is broken or lacking already."""
    broken = {
        found[1]
        for each in faults
        if each.severity == "error"
        and each.code in MALFORMED
        and (found := _DIRECT.fullmatch(each.path))
    }
    broken |= {min(keys, key=len) for keys in lacking}
    is_odd = any(each.path == "" and each.code == "structure" for each in faults)
    for wanted, rule, reads in rules:
        if wanted is not None and wanted.isdisjoint(value):
            continue
        looks_at = reads or wanted
        if _touches(looks_at, broken) if looks_at is not None else (broken or is_odd):
            continue
        try:
            yield from rule(value) or ()
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
            continue  # a rule may stumble over what is malformed further down, and was reported


def _touches(wanted: frozenset[str], broken: set[str]) -> bool:
    return any(key.startswith(name) for name in broken for key in wanted)
