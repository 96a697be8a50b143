"""The types and fields of a query, made from the definitions when they are asked for.

https://hl7.org/fhir/R4/graphql.html

1. A FHIR type has its elements, named as in JSON; a choice also by its bare name (`value`), and a
   primitive also with a `_` before its name, which has its id and extensions. A primitive that is
   one of a choice has `value`.
2. A resource has `resourceType` besides, and searches of what refers to it: `[Type]List` and
   `[Type]Connection`. A Reference has `resource`.
3. `Query` has `[Type]`, `[Type]List` and `[Type]Connection` for each type of resource, and what
   asks of the types themselves (`meta`).
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from conformance.definitions import Definitions, Element
from fhir_server.operations.graphql.meta import META

QUERY = "Query"
_NOT_KEPT = "AuditEvent"
"""Rendered from the trail, and no records: they are searched by REST."""
RESOURCE = "Resource"
INTERFACES = (RESOURCE, "DomainResource")
"""What resources are in general."""

Kind = Literal["element", "type", "target", "one", "list", "connection", "meta"]


class Found(NamedTuple):
    """A field of a type.

    `properties` are the JSON names that may hold it, each with its type; `many` says that it is a
    list. For what is searched, `resource` is the type of resource.
    """

    kind: Kind
    properties: tuple[tuple[str, str], ...] = ()
    many: bool = False
    resource: str = ""


_CONNECTION: Mapping[str, Found] = {
    name: Found("element", ((name, kind),))
    for name, kind in (
        ("count", "integer"),
        ("offset", "integer"),
        ("pagesize", "integer"),
        ("first", "id"),
        ("previous", "id"),
        ("next", "id"),
        ("last", "id"),
    )
}
_EDGE: Mapping[str, Found] = {
    "mode": Found("element", (("mode", "code"),)),
    "score": Found("element", (("score", "decimal"),)),
}


class Schema:
    """Finds fields; what it found is kept."""

    def __init__(self, definitions: Definitions) -> None:
        """Take the definitions."""
        self.definitions = definitions
        self._found: dict[tuple[str, str], Found | None] = {}
        self._types = {named(type): type for type in definitions.types}

    def field(self, type: str, name: str) -> Found | None:
        """Return a field of a type, None if it has none of that name."""
        key = (type, name)
        if key not in self._found:
            self._found[key] = self._field(type, name)
        return self._found[key]

    def elements(self, type: str) -> Collection[Element]:
        """Return the elements of a type of FHIR; none of another."""
        return self.definitions.elements(type).values() if type in self.definitions.types else ()

    def is_scalar(self, type: str) -> bool:
        """Tell whether values of a type have no fields."""
        known = self.definitions.types.get(type)
        return known is not None and known.kind == "primitive-type"

    def is_resource(self, type: str) -> bool:
        """Tell whether a type is one of resources, or what all of them are."""
        return type in INTERFACES or self.definitions.is_resource_type(type)

    def type_named(self, name: str) -> str | None:
        """Return the type that a fragment is on, None for none."""
        if name in META or self._inner(name) != name:
            return name
        return self._types.get(name)

    def fits(self, type: str, condition: str) -> bool:
        """Tell whether an object of a type has the fields of a fragment on another."""
        if condition == type:
            return True
        return type in self.definitions.types and condition in self.definitions.ancestry(type)

    def searched(self, name: str) -> tuple[Kind, str] | None:
        """Return what a name such as `PatientList` asks for."""
        for suffix, kind in _SEARCHES:
            type = name.removesuffix(suffix)
            if name.endswith(suffix) and self._is_kept(type):
                return kind, type
        return None

    def _is_kept(self, type: str) -> bool:
        return type != _NOT_KEPT and self.definitions.is_resource_type(type)

    def _inner(self, name: str) -> str:
        for suffix in ("Connection", "Edge"):
            if name.endswith(suffix) and self.definitions.is_resource_type(
                name.removesuffix(suffix)
            ):
                return name.removesuffix(suffix)
        return name

    def _field(self, type: str, name: str) -> Found | None:
        told = META.get(type, {}).get(name)
        if told is not None:
            return Found("meta", ((name, told[0]),), many=told[1])
        if type == QUERY:
            searched = self.searched(name)
            if searched is None and self._is_kept(name):
                searched = ("one", name)
            return Found(searched[0], resource=searched[1]) if searched else None
        inner = self._inner(type)
        if inner != type:
            return _of_page(type, inner, name)
        if type not in self.definitions.types:
            return None
        if self.is_scalar(type) and name == "value":
            return Found("element", ((name, type),))
        return self._of_element(type, name) or self._besides(type, name)

    def _of_element(self, type: str, name: str) -> Found | None:
        for element in self.definitions.elements(type).values():
            if name == element.name:
                return Found("element", element.properties(), element.many)
            for prop, kind in element.properties():
                if name == prop:
                    return Found("element", ((prop, kind),), element.many)
                if name == f"_{prop}" and self.is_scalar(kind):
                    return Found("element", ((name, "Element"),), element.many)
        return None

    def _besides(self, type: str, name: str) -> Found | None:
        if type == "Reference" and name == "resource":
            return Found("target")
        if not self.is_resource(type):
            return None
        if name == "resourceType":
            return Found("type")
        searched = self.searched(name) if type not in INTERFACES else None
        return Found(searched[0], resource=searched[1]) if searched else None


_SEARCHES: tuple[tuple[str, Kind], ...] = (("List", "list"), ("Connection", "connection"))


def _of_page(type: str, resource: str, name: str) -> Found | None:
    if type.endswith("Connection"):
        if name == "edges":
            return Found("element", ((name, f"{resource}Edge"),), many=True)
        return _CONNECTION.get(name)
    if name == "resource":
        return Found("element", ((name, resource),))
    return _EDGE.get(name)


def named(type: str) -> str:
    """Return the name of a type in GraphQL.

    >>> named("Patient.contact"), named("boolean"), named("HumanName")
    ('PatientContact', 'boolean', 'HumanName')
    """
    first, *rest = type.split(".")
    return first + "".join(each[0].upper() + each[1:] for each in rest)
