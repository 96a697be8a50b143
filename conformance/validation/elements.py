"""Checks of elements: what stands under one property of an object.

https://hl7.org/fhir/R4/json.html

Each handler takes the value of the property and the object around it.
"""

from collections.abc import Callable, Set
from typing import Any

from conformance.definitions import Element
from conformance.validation.faults import Check, Fault, Faults, describe, fault, under, wrong

ONLY_ID = "found only an id, expected a value or children (ele-1)"

Json = dict[str, Any]
Handler = Callable[[Any, Json], Faults]


def one(segment: str, check: Check) -> Handler:
    """A property that holds one value."""

    def handle(item: Any, _: Json) -> Faults:
        found = check(item)
        return None if found is None else under(segment, found)

    return handle


def several(segment: str, check: Check, element: Element) -> Handler:
    """A property that holds an array of objects."""

    def handle(items: Any, _: Json) -> Faults:
        if items.__class__ is not list or not items:
            return under(segment, wrong("structure", items, "an array with at least one item"))
        found = too_many(segment, items, element)
        for index, item in enumerate(items):
            given = check(item)
            if given is not None:
                found += under(f"{segment}[{index}]", given)
        return found or None

    return handle


def several_primitives(segment: str, key: str, check: Check, element: Element) -> Handler:
    """A property that holds an array of primitives; null stands where only extensions are given."""
    beside = "_" + key

    def handle(items: Any, parent: Json) -> Faults:
        if items.__class__ is not list or not items:
            return under(segment, wrong("structure", items, "an array with at least one item"))
        found = too_many(segment, items, element)
        for index, item in enumerate(items):
            if item is None and is_given(parent.get(beside), index):
                continue
            if item is None and is_null(parent.get(beside), index):
                found += under(segment, fault("structure", nothing_at(key, index)))
                continue
            given = check(item)
            if given is not None:
                found += under(f"{segment}[{index}]", given)
        return found or None

    return handle


def is_null(items: Any, index: int) -> bool:
    """Whether an array has null at an index."""
    return items.__class__ is list and index < len(items) and items[index] is None


def nothing_at(key: str, index: int) -> str:
    """What to say of a primitive that has neither a value nor extensions."""
    return f"found nothing in {key} and _{key} at {index}, expected something in one of them"


def too_many(segment: str, items: list[Any], element: Element) -> list[Fault]:
    """The fault of an array with more or fewer items than its element allows."""
    if element.max is not None and len(items) > element.max:
        text = f"found {len(items)} items, expected at most {element.max}"
        return under(segment, fault("structure", text))
    if len(items) < element.min:
        text = f"found {len(items)} items, expected at least {element.min}"
        return under(segment, fault("required", text))
    return []


def is_given(items: Any, index: int) -> bool:
    """Whether an array has something at an index."""
    return items.__class__ is list and index < len(items) and items[index] is not None


def beside_one(segment: str, key: str, check: Check, code_of: str) -> Handler:
    """`_name`: id and extensions of the primitive `name`; `code_of` is a required value set."""

    def handle(item: Any, parent: Json) -> Faults:
        found = check(item) or alone(item, code_of, is_alone=key not in parent)
        return None if found is None else under(segment, found)

    return handle


def beside_several(segment: str, key: str, check: Check, code_of: str) -> Handler:
    """`_name` beside an array of primitives: null where an item has neither id nor extensions."""

    def handle(items: Any, parent: Json) -> Faults:
        if items.__class__ is not list or not items:
            return under(segment, wrong("structure", items, f"an array beside {key}"))
        values = parent.get(key)
        found = []
        for index, item in enumerate(items):
            has_value = is_given(values, index)
            if item is not None:
                given = check(item) or alone(item, code_of, is_alone=not has_value)
                if given is not None:
                    found += under(f"{segment}[{index}]", given)
            elif not has_value and (given := neither(key, values, index)):
                found += under(segment, given)
        return found or None

    return handle


def alone(item: Json, code_of: str, *, is_alone: bool) -> Faults:
    """The fault of what stands beside no value, where a value is needed."""
    if is_alone and len(item) == 1 and "id" in item:
        return fault("invariant", ONLY_ID)
    if is_alone and code_of:
        # "required: … SHALL include a code from the specified value set": extensions are none.
        return fault("code-invalid", f"found extensions only, expected a code of {code_of}")
    return None


def neither(key: str, values: Any, index: int) -> Faults:
    """The fault of null in both arrays; where the array of values has it too, that one tells."""
    if values.__class__ is list and index < len(values):
        return None
    return fault("structure", nothing_at(key, index))


def several_choices(keys: Set[str]) -> list[Fault]:
    """The fault of a choice that has several values; `_name` goes with `name`."""
    names = sorted({key.removeprefix("_") for key in keys})
    if len(names) == 1:
        return []
    return fault("structure", f"found {' and '.join(names)}, expected only one of them")


def unknown(key: str, type_name: str) -> list[Fault]:
    """The fault of a property that the type does not have."""
    return fault("structure", f"found {describe(key)}, which is not an element of {type_name}")
