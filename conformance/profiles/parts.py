"""Parts of the check of one item: what an ElementDefinition says of a value.

https://hl7.org/fhir/R4/elementdefinition-definitions.html
"""

from collections.abc import Callable
from typing import Any

from conformance.profiles import values
from conformance.profiles.discriminators import target_type
from conformance.profiles.items import Around, Item
from conformance.validation.faults import Faults, describe, fault, wrong

ItemCheck = Callable[[Item, Around], Faults]


def is_number(value: Any) -> bool:
    """Whether a value can be compared as a number."""
    return not isinstance(value, bool | str | dict | list | None)


def is_fixed(fixed: Any) -> ItemCheck:
    """The check that a value is the fixed one."""

    def check(item: Item, _: Around) -> Faults:
        if values.is_equal(item.value, fixed):
            return None
        return wrong("value", item.value, f"{values.in_words(fixed)}, as the profile fixes it")

    return check


def has_pattern(pattern: Any) -> ItemCheck:
    """The check that a value has what a pattern has."""

    def check(item: Item, _: Around) -> Faults:
        if values.meets(item.value, pattern):
            return None
        return wrong("value", item.value, f"{values.in_words(pattern)} in it, as the profile says")

    return check


def is_no_longer(longest: int) -> ItemCheck:
    """The check of the length of a text."""

    def check(item: Item, _: Around) -> Faults:
        if item.value.__class__ is not str or len(item.value) <= longest:
            return None
        text = f"found {len(item.value)} characters, expected at most {longest} (profile)"
        return fault("too-long", text)

    return check


def is_within(limit: Any, *, is_lowest: bool) -> ItemCheck:
    """The check of a number against a limit."""

    def check(item: Item, _: Around) -> Faults:
        if not is_number(item.value):
            return None
        if item.value >= limit if is_lowest else item.value <= limit:
            return None
        side = "least" if is_lowest else "most"
        return wrong("value", item.value, f"at {side} {limit} (profile)")

    return check


def is_of_types(allowed: frozenset[str]) -> ItemCheck:
    """The check that an item is of one of some types."""

    def check(item: Item, _: Around) -> Faults:
        if item.type in allowed:
            return None
        text = f"found {item.type}, expected {' or '.join(sorted(allowed))} (profile)"
        return fault("structure", text)

    return check


def leads_to(
    urls: list[str], allowed: frozenset[str], conforms: Callable[[Any, str, Around], bool]
) -> ItemCheck:
    """The check that a reference leads to what meets one of some profiles.

    `allowed` are their types; none: not known. What is not at hand is told by its type.
    """

    def check(item: Item, around: Around) -> Faults:
        if item.value.__class__ is not dict:
            return None
        literal = item.value.get("reference")
        target = around.resolve(literal) if literal.__class__ is str else None
        if target is not None:
            if any(conforms(target, url, around) for url in urls):
                return None
            return wrong("value", literal, f"it to lead to one of {', '.join(urls)}")
        name = target_type(item.value)
        if not name or not allowed or name in allowed:
            return None
        return wrong("value", describe(name), f"a reference to {' or '.join(sorted(allowed))}")

    return check
