"""Checks of elements: what stands under one property of an object.

https://hl7.org/fhir/R4/json.html

Each handler takes the value of the property and the object around it.
"""

from collections.abc import Callable, Mapping, Set
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
            given = check(item)
            if given is not None:
                found += under(f"{segment}[{index}]", given)
        return found or None

    return handle


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
            else:
                given = None if has_value else neither(key, values, index)
            if given is not None:
                found += under(f"{segment}[{index}]", given)
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
    return fault("structure", f"found null in _{key} and nothing in {key}, expected one of them")


def bound_code(check: Check, codes: frozenset[str], value_set: str) -> Check:
    """A code with a required binding."""

    def check_code(value: Any) -> Faults:
        if value.__class__ is str and value in codes:
            return None
        return check(value) or wrong("code-invalid", value, of_value_set(codes, value_set))

    return check_code


def bound_concept(check: Check, codes: Mapping[str, frozenset[str]], value_set: str) -> Check:
    """A CodeableConcept with a required binding: one of its codings is from the value set."""
    every = frozenset(code for each in codes.values() for code in each)

    def check_concept(value: Any) -> Faults:
        found = check(value)
        if found is not None or has_coding(value, codes):
            return found
        text = f"found no coding of the value set, expected {of_value_set(every, value_set)}"
        return fault("code-invalid", text)

    return check_concept


def has_coding(concept: Json, codes: Mapping[str, frozenset[str]]) -> bool:
    """Whether a concept has a coding among those codes."""
    return any(
        coding.get("code") in codes.get(coding.get("system", ""), ())
        for coding in concept.get("coding", ())
    )


MOST_LISTED = 12


def of_value_set(codes: frozenset[str], value_set: str) -> str:
    """What a required binding expects, in words; short lists of codes in full."""
    if len(codes) > MOST_LISTED:
        return f"a code of {value_set}"
    return f"{', '.join(sorted(codes))} (of {value_set})"


def several_choices(keys: Set[str]) -> list[Fault]:
    """The fault of a choice that has several values; `_name` goes with `name`."""
    names = sorted({key.removeprefix("_") for key in keys})
    if len(names) == 1:
        return []
    return fault("structure", f"found {' and '.join(names)}, expected only one of them")


def unknown(key: str, type_name: str) -> list[Fault]:
    """The fault of a property that the type does not have."""
    return fault("structure", f"found {describe(key)}, which is not an element of {type_name}")
