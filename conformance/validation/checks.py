"""Checks of complex types and resources, compiled from the definitions, each when first needed.

https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/element.html
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.definitions import Definitions, Element
from conformance.validation import elements
from conformance.validation.contained import check_contained, settle
from conformance.validation.elements import Handler, Json
from conformance.validation.faults import Check, Fault, Faults, describe, fault, wrong
from conformance.validation.primitives import is_absolute, primitive_checks
from conformance.validation.references import reference_check

RESOURCES = ("Resource", "DomainResource")


class _Required(NamedTuple):
    """`keys`: properties of which one must be there."""

    name: str
    min: int
    keys: frozenset[str]


class _Shape(NamedTuple):
    """What a type's check looks up; filled after it is made, for types that hold themselves."""

    handlers: dict[str, Handler]
    required: list[_Required]
    choices: list[frozenset[str]]


class Checks:
    """The checks of all types of one set of definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._by_type: dict[str, Check] = primitive_checks(definitions.types)
        self._reference = reference_check(definitions.resource_types)
        self._resources: dict[str, Check] = {}

    def resource(self, value: Any) -> Faults:
        """Check a resource that stands for itself: at the root, or in a Bundle or Parameters."""
        found = self._any_resource(value)
        if value.__class__ is dict and (found or "contained" in value):
            return settle(value, found or []) or None
        return found

    def _any_resource(self, value: Any) -> Faults:
        if value.__class__ is not dict:
            return wrong("structure", value, "a resource: an object with a resourceType")
        name = value.get("resourceType")
        if name.__class__ is not str or name not in self._definitions.resource_types:
            if "resourceType" not in value:
                return fault("structure", "found no resourceType, expected the name of a type")
            text = f"found the resourceType {describe(name)}, expected the name of an R4 type"
            return fault("structure", text)
        check = self._by_type.get(name) or self._compile(name)
        return check(value)

    def _contained(self, value: Any) -> Faults:
        """Check a contained resource; references it makes are settled by its container."""
        return check_contained(value, self._any_resource(value))

    def _compile(self, name: str) -> Check:
        """Make the check of a complex type, and of all types that it can reach."""
        shape = _Shape({}, [], [])
        definition = self._definitions.types[name]
        is_resource = definition.kind == "resource"
        # Element stands for what is beside a primitive, whose value counts as well.
        needs_children = not is_resource and name != "Element"
        check = _object_check(name, shape, needs_children=needs_children)
        if name == "Extension":
            check = _extension_check(check)
        self._by_type[name] = check
        if is_resource:
            shape.handlers["resourceType"] = lambda _, __: None
        for element in self._definitions.elements(name).values():
            if element.max != 0:
                self._add(shape, name, element)
        return check

    def _add(self, shape: _Shape, owner: str, element: Element) -> None:
        """Put the handlers of an element into the shape of the type that has it."""
        keys: set[str] = set()
        for key, type_name in element.properties():
            segment = f".{element.name}"
            if element.choice:
                segment += f".ofType({type_name})"
            check = self._check_of(owner, element, type_name)
            keys.add(key)
            if self._is_primitive(type_name):
                keys.add("_" + key)
                shape.handlers["_" + key] = self._beside(segment, key, element)
                if element.many:
                    shape.handlers[key] = elements.several_primitives(segment, key, check, element)
                else:
                    shape.handlers[key] = elements.one(segment, check)
            elif element.many:
                shape.handlers[key] = elements.several(segment, check, element)
            else:
                shape.handlers[key] = elements.one(segment, check)
        if element.min:
            shape.required.append(_Required(element.name, element.min, frozenset(keys)))
        if element.choice:
            shape.choices.append(frozenset(keys))

    def _is_primitive(self, type_name: str) -> bool:
        return self._definitions.types[type_name].kind == "primitive-type"

    def _beside(self, segment: str, key: str, element: Element) -> Handler:
        check = self._by_type.get("Element") or self._compile("Element")
        make = elements.beside_several if element.many else elements.beside_one
        return make(segment, key, check, element.value_set)

    def _check_of(self, owner: str, element: Element, type_name: str) -> Check:
        """The check of one value of an element, as one of its types."""
        if type_name in RESOURCES:
            return self._contained if element.name == "contained" else self.resource
        check = self._by_type.get(type_name) or self._compile(type_name)
        if type_name == "Reference":
            return _reference_check(check, self._reference, element.targets.get("Reference", ()))
        if type_name == "Extension" and owner != "Extension":
            return _outer_extension(check)
        if element.value_set:
            return self._bound(check, element.value_set, type_name)
        return check

    def _bound(self, check: Check, value_set: str, type_name: str) -> Check:
        codes = self._definitions.value_set(value_set)
        if type_name == "CodeableConcept":
            return elements.bound_concept(check, codes, value_set)
        every = frozenset(code for each in codes.values() for code in each)
        return elements.bound_code(check, every, value_set)


def _object_check(name: str, shape: _Shape, *, needs_children: bool) -> Check:
    """The check of an object: its properties, what it must have, what it may have once."""
    handlers, required, choices = shape

    def check(value: Any) -> Faults:
        if value.__class__ is not dict or not value:
            return wrong("structure", value, f"an object that is not empty ({name})")
        faults: list[Fault] = []
        for key, item in value.items():
            handle = handlers.get(key)
            if handle is None:
                faults += elements.unknown(key, name)
            elif found := handle(item, value):
                faults += found
        faults += _as_a_whole(value, required, choices)
        if needs_children and len(value) == 1 and "id" in value:
            faults += fault("invariant", elements.ONLY_ID)
        return faults or None

    return check


def _as_a_whole(
    value: Json, required: list[_Required], choices: list[frozenset[str]]
) -> list[Fault]:
    """What an object lacks, and what it has more than one of."""
    faults = []
    for element, least, keys in required:
        if keys.isdisjoint(value):
            faults += fault("required", f"found no {element}, expected at least {least}")
    for keys in choices:
        if len(given := keys & value.keys()) > 1:
            faults += elements.several_choices(given)
    return faults


def _extension_check(check: Check) -> Check:
    """Adds ext-1: an extension has a value or extensions, not both."""

    def check_extension(value: Any) -> Faults:
        found = check(value)
        if value.__class__ is not dict or not value:
            return found
        has_value = any(key.lstrip("_").startswith("value") for key in value)
        if has_value != ("extension" in value):
            return found
        have = "both a value and extensions" if has_value else "neither a value nor extensions"
        return (found or []) + fault("invariant", f"found {have}, expected one of them (ext-1)")

    return check_extension


def _outer_extension(check: Check) -> Check:
    """Adds that the URL of an extension is absolute; within an extension it may be relative."""

    def check_outer(value: Any) -> Faults:
        found = check(value)
        if found is None and not is_absolute(value["url"]):
            return wrong("value", value["url"], "an absolute URL of the extension")
        return found

    return check_outer


def _reference_check(
    check: Check, check_target: Callable[[Json, tuple[str, ...]], Faults], allowed: tuple[str, ...]
) -> Check:
    def check_reference(value: Any) -> Faults:
        return check(value) or check_target(value, allowed)

    return check_reference
