"""The R4 type model: how to reach an element of a node, and which type it has.

https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from conformance.definitions import Definitions
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import FHIR_NAME, KIND, SYSTEM_NAMES, Node, Nodes

Reader = Callable[[dict[str, Any], Nodes], None]

RESOURCES = ("Resource", "DomainResource")


# Elements of System types that have any.
_OF_SYSTEM = {
    ("System.Type", "namespace"): "System.String",
    ("System.Type", "name"): "System.String",
    ("System.Quantity", "value"): "System.Decimal",
    ("System.Quantity", "unit"): "System.String",
}


class Model:
    """Types and readers of elements; keeps what it has made for as long as it lives."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._readers: dict[tuple[str, str], tuple[tuple[str, Reader], ...]] = {}
        self._ancestries: dict[str, frozenset[str]] = {}

    def type_named(self, name: str, at: int | None = None) -> str:
        """The type that a type specifier means: FHIR's own first, then System's."""
        space, _, bare = name.rpartition(".")
        if space in ("", "FHIR") and bare in self.definitions.types:
            return bare
        if space in ("", "System") and bare in SYSTEM_NAMES:
            return f"System.{bare}"
        raise FHIRPathError(f"{name} is not a type", at)

    def is_a(self, type_name: str, wanted: str) -> bool:
        """Whether a type is the wanted one or specializes it."""
        if type_name == wanted or FHIR_NAME.get(type_name) == wanted == "Quantity":
            return True
        found = self._ancestries.get(type_name)
        if found is None:
            known = type_name in self.definitions.types
            found = frozenset(self.definitions.ancestry(type_name) if known else ())
            self._ancestries[type_name] = found
        return wanted in found

    def is_primitive(self, type_name: str) -> bool:
        """Whether a type is one of FHIR's primitives."""
        known = self.definitions.types.get(type_name)
        return known is not None and known.kind == "primitive-type"

    def is_exactly(self, type_name: str, wanted: str) -> bool:
        """What `as` and ofType ask of primitives: a code is a string, but not `as string`."""
        return type_name == wanted

    def converts_to(self, type_name: str, wanted: str) -> bool:
        """Whether a FHIR primitive is implicitly of a System type."""
        return self.is_primitive(type_name) and f"System.{KIND.get(type_name)}" == wanted

    def readers(self, type_name: str, element: str) -> tuple[tuple[str, Reader], ...]:
        """For each type the element may have, that type and what appends its nodes to a list."""
        key = (type_name, element)
        found = self._readers.get(key)
        if found is None:
            found = self._readers[key] = self._make_readers(type_name, element)
        return found

    def _make_readers(self, type_name: str, element: str) -> tuple[tuple[str, Reader], ...]:
        if (found := _OF_SYSTEM.get((type_name, element))) is not None:
            return ((found, primitive_reader(element, found)),)
        if type_name not in self.definitions.types:
            return ()
        declared = self.definitions.elements(type_name).get(element)
        if declared is None:
            return ()
        return tuple((each, self._reader(name, each)) for name, each in declared.properties())

    def _reader(self, name: str, type_name: str) -> Reader:
        if type_name in RESOURCES:
            return resource_reader(name, self.definitions.resource_types)
        if self.definitions.types[type_name].kind == "primitive-type":
            return primitive_reader(name, type_name)
        return complex_reader(name, type_name)

    def children(self, node: Node) -> Nodes:
        """All child nodes, in the order of definition."""
        source = source_of(node)
        if source is None or node[0] not in self.definitions.types:
            return []
        found: Nodes = []
        for element in self.definitions.elements(node[0]):
            for _, read in self.readers(node[0], element):
                read(source, found)
        return found

    def root(self, resource: dict[str, Any]) -> Node:
        """The node of a resource."""
        return (str(resource.get("resourceType", "")), resource, None)


def source_of(node: Node) -> dict[str, Any] | None:
    """The dict that holds the elements of a node: beside a primitive, `extra`."""
    _, value, extra = node
    source = value if value.__class__ is dict else extra
    return source if source.__class__ is dict else None


def complex_reader(name: str, type_name: str) -> Reader:
    """Reads a property of complex type."""

    def read(source: dict[str, Any], found: Nodes) -> None:
        value = source.get(name)
        if value is None:
            return
        if value.__class__ is list:
            found.extend([(type_name, each, None) for each in value if each.__class__ is dict])
        elif value.__class__ is dict:
            found.append((type_name, value, None))

    return read


# The Python types that JSON has for a System type; a float is what a careless decoder makes.
JSON_TYPES: dict[str, frozenset[type]] = {
    "Boolean": frozenset({bool}),
    "Integer": frozenset({int}),
    "Decimal": frozenset({int, Decimal, float}),
}
TEXT: frozenset[type] = frozenset({str})


def primitive_reader(name: str, type_name: str) -> Reader:
    """Reads a property of primitive type together with the extensions beside it.

    A value of another JSON type than the primitive has is left out.
    """
    beside = "_" + name
    accepted = JSON_TYPES.get(KIND.get(type_name, ""), TEXT)

    def read(source: dict[str, Any], found: Nodes) -> None:
        value = source.get(name)
        extra = source.get(beside)
        if extra is not None:
            found.extend(pairs(type_name, value, extra, accepted))
        elif value.__class__ in accepted:
            found.append((type_name, value, None))
        elif value.__class__ is list:
            found.extend([(type_name, each, None) for each in value if each.__class__ in accepted])

    return read


def pairs(type_name: str, value: Any, extra: Any, accepted: frozenset[type]) -> Iterable[Node]:
    """Primitives zipped with what stands beside them; either side may be shorter or absent."""
    values = value if isinstance(value, list) else [value]
    extras = extra if isinstance(extra, list) else [extra]
    for one, other in zip_longest(values, extras):
        given = one if one.__class__ in accepted else None
        if given is not None or isinstance(other, dict):
            yield (type_name, given, other if isinstance(other, dict) else None)


def resource_reader(name: str, resource_types: frozenset[str]) -> Reader:
    """Reads a property that holds resources, each of its own type."""

    def read(source: dict[str, Any], found: Nodes) -> None:
        value = source.get(name)
        for each in value if value.__class__ is list else (value,):
            name_of = each.get("resourceType") if each.__class__ is dict else None
            if isinstance(name_of, str) and name_of in resource_types:
                found.append((name_of, each, None))

    return read
