"""Checks of complex types and resources, compiled from the definitions, each when first needed.

https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/element.html
"""

from collections.abc import Iterable, Iterator
from threading import RLock
from typing import Any, NamedTuple

from conformance.definitions import Definitions, Element
from conformance.profiles.catalog import Catalog
from conformance.profiles.compiler import Compiler
from conformance.profiles.items import Around
from conformance.snapshot import SnapshotError
from conformance.validation import elements, extensions
from conformance.validation.bindings import Bindings
from conformance.validation.contained import check_contained, settle
from conformance.validation.elements import Handler, Json
from conformance.validation.faults import Check, Fault, Faults, both, describe, fault, wrong
from conformance.validation.invariants import Invariants, Rule
from conformance.validation.primitives import primitive_checks
from conformance.validation.profiled import check_profiles
from conformance.validation.references import literal_pattern, reference_check
from conformance.validation.rules.canonicals import kinds, target_check
from conformance.validation.rules.table import SIMPLE_QUANTITY, rules_of
from conformance.validation.shapes import MALFORMED, Required, Shape, object_check
from conformance.validation.systems import Systems

RESOURCES = ("Resource", "DomainResource")


class Options(NamedTuple):
    """What is checked beside the structure: see `Validator`."""

    is_full: bool = True
    warnings: bool = True
    best_practice: bool = False


class Checks:
    """The checks of all types of one set of definitions."""

    def __init__(self, definitions: Definitions, catalog: Catalog, options: Options) -> None:
        self._definitions = definitions
        self._catalog = catalog
        self._is_full = options.is_full
        self._warnings = options.warnings
        self._by_type: dict[str, Check] = primitive_checks(definitions.types)
        matches = literal_pattern(definitions.resource_types).fullmatch
        self._ready: dict[str, Check] = {}  # those of resources, whole: seen by other threads
        self._compiling = RLock()
        self._reference = reference_check(definitions.resource_types, matches)
        self._bindings = Bindings(catalog.codes, with_warnings=options.is_full and options.warnings)
        self._invariants = Invariants(
            definitions, warnings=options.warnings, best_practice=options.best_practice
        )
        self._compiler = Compiler(definitions, catalog, self._invariants, self._bindings)
        self._rules = rules_of(definitions, catalog, Systems(catalog.code_systems), matches)
        self._kind_of = kinds(catalog)
        self._misplaced = extensions.misplaced(
            definitions, catalog.extensions, self._invariants.of_context
        )

    def profiles(self, value: Json, demanded: Iterable[str], found: list[Fault]) -> list[Fault]:
        """The faults of a resource against profiles: those demanded, and those that it claims.

        `found` is what was found without them.
        """
        malformed = [each.path for each in found if is_malformed(each)]
        return check_profiles(self._compiler, value, demanded, malformed, warnings=self._warnings)

    def resource(self, value: Any) -> Faults:
        """Check a resource that stands for itself: at the root, or in a Bundle or Parameters."""
        found = self._any_resource(value)
        if value.__class__ is dict and (found or "contained" in value):
            return settle(value, found or [], self._misplaced) or None
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
        check = self._ready.get(name) or self._prepare(name)
        return check(value)

    def _prepare(self, name: str) -> Check:
        """Compile a type's check, which until then other threads must not see."""
        with self._compiling:
            self._ready[name] = check = self._by_type.get(name) or self._compile(name)
        return check

    def _contained(self, value: Any) -> Faults:
        """Check a contained resource; references it makes are settled by its container."""
        return check_contained(value, self._any_resource(value))

    def _compile(self, name: str) -> Check:
        """Make the check of a complex type, and of all types that it can reach."""
        shape = Shape({}, [], [], [])
        definition = self._definitions.types[name]
        is_resource = definition.kind == "resource"
        # Element stands for what is beside a primitive, whose value counts as well.
        needs_children = not is_resource and name != "Element"
        check = object_check(name, shape, needs_children=needs_children)
        self._by_type[name] = check
        if is_resource:
            shape.handlers["resourceType"] = lambda _, __: None
        for element in self._definitions.elements(name).values():
            if element.max != 0:
                self._add(shape, name, element)
        shape.rules.extend(self._rules_of(name))
        return check

    def _rules_of(self, name: str) -> Iterator[Rule]:
        if name == "Extension":
            yield Rule(None, extensions.check_ext_1)
        if self._is_full:
            for kind in self._definitions.ancestry(name):
                yield from self._rules.get(kind, ())
            yield from self._invariants.of_type(name)

    def _add(self, shape: Shape, owner: str, element: Element) -> None:
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
            shape.required.append(Required(element.name, element.min, frozenset(keys)))
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
        return together(check, [*self._beyond_its_type(owner, element, type_name)])

    def _beyond_its_type(self, owner: str, element: Element, type_name: str) -> Iterator[Check]:
        """What an element asks of a value beside being of its type."""
        if type_name == "Reference":
            yield reference_to(self._reference, element.targets.get("Reference", ()))
        if type_name == "Extension":
            yield from self._of_extensions(owner, element)
        if element.binding and (found := self._bindings.check(element.binding, type_name)):
            yield found
        if self._is_full:
            if targets := element.targets.get(type_name) if type_name == "canonical" else None:
                yield target_check(self._kind_of, targets)
            if SIMPLE_QUANTITY in element.profiles.get(type_name, ()):
                yield check_simple_quantity
            yield from self._invariants.of_element(element, type_name)

    def _of_extensions(self, owner: str, element: Element) -> Iterator[Check]:
        if owner != "Extension":
            yield extensions.check_url
        if self._is_full:
            yield extensions.use_check(
                self._catalog.extensions,
                frozenset(self._definitions.ancestry(owner)),
                self._defined,
                is_modifier=element.name == "modifierExtension",
            )

    def _defined(self, value: Json, url: str) -> list[Fault]:
        """The faults of an extension against its definition."""
        try:
            check = self._compiler.profile(url)
        except SnapshotError:
            return []
        return check(value, Around(value, lambda _: None)) if check else []


def together(check: Check, more: list[Check]) -> Check:
    """A check, and others that are made where it finds nothing wrong in the value itself."""
    if not more:
        return check
    [second, *rest] = more

    def check_both(value: Any) -> Faults:
        found = check(value)
        if found is None:
            return second(value)
        return found if any(map(is_malformed, found)) else both(found, second(value))

    return together(check_both, rest)


def is_malformed(found: Fault) -> bool:
    """Whether a fault says that a value is not what its type says, so that no rule can be asked."""
    return found.code in MALFORMED and found.severity == "error" and not found.pending


def reference_to(check_target: Any, allowed: tuple[str, ...]) -> Check:
    """The check of the literal of a reference to one of the types allowed."""
    return lambda value: check_target(value, allowed)


def check_simple_quantity(value: Json) -> Faults:
    """Check sqty-1: a SimpleQuantity has no comparator."""
    if "comparator" not in value:
        return None
    return [Fault("", "invariant", "found a comparator, expected none here (sqty-1)")]
