"""What the hub tells of the types and fields that queries may have.

https://spec.graphql.org/October2021/#sec-Introspection

1. Each type of FHIR is an object, a primitive a scalar; `Resource` and `DomainResource` are
   interfaces. `string`, `boolean` and `integer` are GraphQL's own.
2. A choice is told by its JSON names (`valueQuantity`) alone: types of GraphQL have no place for
   `value`, which may be a primitive or an object.
3. A search parameter is told as a String; a list of values is taken as well. Of the searches on a
   record those are told whose type names the record's among the targets of a reference.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from conformance.definitions import Element
from fhir_server.operations.graphql.arguments import search_names
from fhir_server.operations.graphql.meta import Node
from fhir_server.operations.graphql.schema import INTERFACES, QUERY, Schema, named
from fhir_server.search.elements import targets

_OWN = {"string": "String", "boolean": "Boolean", "integer": "Int"}
_MOST_TARGETS = 60
"""A reference that may be to more types than these may be to any."""

_SHAPE = {"_count": "Int", "_sort": "String", "fhirpath": "String"}
_PAGE = _SHAPE | {"_cursor": "ID", "_include": "String", "_revinclude": "String"}
_OF_LIST = {"fhirpath": "String", "_offset": "Int", "_count": "Int"}
_DIRECTIVES: Mapping[str, tuple[Mapping[str, str], str]] = {
    "include": ({"if": "Boolean!"}, "FIELD FRAGMENT_SPREAD INLINE_FRAGMENT"),
    "skip": ({"if": "Boolean!"}, "FIELD FRAGMENT_SPREAD INLINE_FRAGMENT"),
    "flatten": ({}, "FIELD"),
    "first": ({}, "FIELD"),
    "singleton": ({}, "FIELD"),
    "slice": ({"path": "String!"}, "FIELD"),
}


class Told(NamedTuple):
    """The node of `__schema`, and those of `__type` by name."""

    schema: Node
    types: Mapping[str, Node]


def introspection(schema: Schema) -> Told:
    """Return the nodes that tell of a schema."""
    made = _Types(schema)
    for type in schema.definitions.types:
        if not schema.is_scalar(type):
            made.tell(type)
    made.tell_query()
    directives = [_directive(made, name) for name in _DIRECTIVES]
    types = list(made.types.values())
    told = {"types": types, "queryType": made.types[QUERY], "directives": directives}
    return Told(told, made.types)


class _Types:
    """Makes the nodes of types; one that is referred to before it is told of is a scalar so far."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.types: dict[str, Node] = {}
        self._kept = sorted(t for t in schema.definitions.resource_types if schema.field(QUERY, t))
        self._pointing = _pointing(schema, self._kept)

    def tell(self, type: str) -> None:
        """Make the node of a type of FHIR that is no primitive."""
        fields = [each for e in self.schema.elements(type) for each in self._element(e)]
        if type == "Reference":
            arguments = {"type": "String", "optional": "Boolean"}
            fields.append(self._field("resource", "Resource", arguments))
        node = self._named(named(type))
        if self.schema.is_resource(type):
            fields.append(self._field("resourceType", "String"))
            for source in self._pointing.get(type, ()):
                fields += self._searching(source, {"_reference": "String!"})
        above = [name for name in INTERFACES if name != type and self.schema.fits(type, name)]
        interfaces = [self._named(name) for name in above]
        for each in interfaces:
            each.setdefault("possibleTypes", []).append(node)
        if type in INTERFACES:
            node |= {"kind": "INTERFACE", "fields": fields, "interfaces": interfaces}
            node.setdefault("possibleTypes", [])
            return
        node |= {"kind": "OBJECT", "fields": fields, "interfaces": interfaces}

    def tell_query(self) -> None:
        """Make the nodes of what a query begins with, and of its pages."""
        fields = []
        for type in self._kept:
            fields.append(self._field(type, type, {"id": "ID!"}))
            fields += self._searching(type, {})
            self._tell_pages(type)
        self._object(QUERY, fields)

    def _tell_pages(self, type: str) -> None:
        numbers = [self._field(name, "Int") for name in ("count", "offset", "pagesize")]
        links = [self._field(name, "ID") for name in ("first", "previous", "next", "last")]
        edges = self._field("edges", f"[{type}Edge]")
        self._object(f"{type}Connection", [*numbers, *links, edges])
        of_match = (("mode", "code"), ("score", "decimal"), ("resource", type))
        self._object(f"{type}Edge", [self._field(name, kind) for name, kind in of_match])

    def _object(self, name: str, fields: list[Node]) -> None:
        self._named(name).update({"kind": "OBJECT", "fields": fields, "interfaces": []})

    def _searching(self, type: str, more: Mapping[str, str]) -> list[Node]:
        """Return the fields that search a type."""
        names = dict.fromkeys(search_names(self.schema, type), "String")
        return [
            self._field(f"{type}List", f"[{type}]", {**more, **_SHAPE, **names}),
            self._field(f"{type}Connection", f"{type}Connection", {**more, **_PAGE, **names}),
        ]

    def _element(self, element: Element) -> Iterable[Node]:
        for name, kind in element.properties():
            if self.schema.is_scalar(kind) or kind not in self.schema.definitions.types:
                yield self._field(name, _listed(_OWN.get(kind, kind), element.many))
                yield self._field(f"_{name}", _listed("Element", element.many))
            else:
                arguments = _OF_LIST | self._values(kind) if element.many else {}
                yield self._field(name, _listed(named(kind), element.many), arguments)

    def _values(self, type: str) -> dict[str, str]:
        """Return the primitives of a type, by which those of a list are chosen."""
        found = (e for e in self.schema.elements(type) if not e.choice)
        return {
            name: _OWN.get(kind, "String")
            for element in found
            for name, kind in element.properties()
            if self.schema.is_scalar(kind)
        }

    def _field(self, name: str, type: str, arguments: Mapping[str, str] | None = None) -> Node:
        return {
            "name": name,
            "args": self._inputs(arguments or {}),
            "type": self._ref(type),
            "isDeprecated": False,
        }

    def _inputs(self, arguments: Mapping[str, str]) -> list[Node]:
        return [self.argument(name, type) for name, type in arguments.items()]

    def argument(self, name: str, type: str) -> Node:
        """Return the node of one argument."""
        return {"name": name, "type": self._ref(type), "isDeprecated": False}

    def _ref(self, type: str) -> Node:
        """Return the node of a type as it is written: `Name`, `Name!` or `[Name]`."""
        if type.endswith("!"):
            return {"kind": "NON_NULL", "ofType": self._ref(type[:-1])}
        if type.startswith("["):
            return {"kind": "LIST", "ofType": self._ref(type[1:-1])}
        return self._named(type)

    def _named(self, name: str) -> Node:
        return self.types.setdefault(name, {"name": name, "kind": "SCALAR"})


def _listed(type: str, many: bool) -> str:
    return f"[{type}]" if many else type


def _pointing(schema: Schema, types: Iterable[str]) -> dict[str, list[str]]:
    """Return for each type of resource those that have a reference of which it is a target."""
    found: dict[str, list[str]] = {}
    for source in types:
        every: set[str] = set()
        for parameter in schema.definitions.search_parameters(source).values():
            if parameter.type == "reference":
                to = targets(schema.definitions, source, parameter)
                every |= set(to) if len(to) < _MOST_TARGETS else set()
        for target in every:
            found.setdefault(target, []).append(source)
    return found


def _directive(types: _Types, name: str) -> Node:
    arguments, places = _DIRECTIVES[name]
    return {
        "name": name,
        "locations": places.split(),
        "args": [types.argument(each, type) for each, type in arguments.items()],
        "isRepeatable": False,
    }
