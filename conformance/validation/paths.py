"""Paths: what stands along the path of a fault, with its types.

https://hl7.org/fhir/R4/fhirpath.html
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from conformance.definitions import Definitions, Element

Json = dict[str, Any]

_STEP = re.compile(r"\.(?P<name>[A-Za-z]+)(?:\.ofType\((?P<type>\w+)\))?(?:\[(?P<index>\d+)\])?")


class Stop(NamedTuple):
    """One stop on a path: what stands there, its type, and all names that an element of the
    specification's has there: `Patient.contact.name`, `HumanName`, `Element`."""

    value: Any
    type: str
    names: frozenset[str]


def along(definitions: Definitions, resource: Json, path: str) -> list[Stop]:
    """The stops from a resource along a path (`.contact[0].name`) as far as they are there."""
    name = str(resource.get("resourceType"))
    stops = [Stop(resource, name, frozenset(_types(definitions, name)))]
    for found in _STEP.finditer(path):
        after = _next(definitions, stops[-1], found)
        if after is None:
            break
        stops.append(after)
    return stops


def _types(definitions: Definitions, name: str) -> tuple[str, ...]:
    return definitions.ancestry(name) if name in definitions.types else ()


def _next(definitions: Definitions, here: Stop, step: re.Match[str]) -> Stop | None:
    if here.type not in definitions.types:
        return None
    element = definitions.elements(here.type).get(step["name"])
    if element is None:
        return None
    value = _value(here.value, element, step)
    type_name = step["type"] or element.types[0]
    if type_name in ("Resource", "DomainResource"):
        type_name = str(value.get("resourceType")) if value.__class__ is dict else type_name
    longer = {f"{name}.{element.name}" for name in here.names}
    if element.choice:
        longer |= {f"{name}[x]" for name in longer}
    return Stop(value, type_name, frozenset({*longer, *_types(definitions, type_name)}))


def _value(value: Any, element: Element, step: re.Match[str]) -> Any:
    key = element.name
    if type_name := step["type"]:
        key += type_name[0].upper() + type_name[1:]
    if value.__class__ is not dict:
        return None
    found = value.get(key)
    if found is None or found.__class__ not in (dict, list):
        found = value.get("_" + key, found)
    if step["index"] is None or found.__class__ is not list:
        return found
    index = int(step["index"])
    return found[index] if index < len(found) else None


def references_in(definitions: Definitions, resource: Json) -> Iterator[tuple[str, str]]:
    """Each literal reference in a resource, with the path of the Reference that has it."""
    yield from _references(definitions, str(resource.get("resourceType")), resource, "")


def _references(
    definitions: Definitions, type_name: str, value: Any, path: str
) -> Iterator[tuple[str, str]]:
    if value.__class__ is not dict:
        return
    literal = value.get("reference")
    if type_name == "Reference" and literal.__class__ is str:
        yield path, literal
    known = definitions.elements(type_name) if type_name in definitions.types else {}
    for element in known.values():
        for key, kind in element.properties():
            below = value.get(key, value.get("_" + key))
            name = f"{path}.{element.name}" + (f".ofType({kind})" if element.choice else "")
            items = enumerate(below) if below.__class__ is list else [(None, below)]
            for index, each in items:
                place = name if index is None else f"{name}[{index}]"
                own = each.get("resourceType") if each.__class__ is dict else None
                inner = own if kind == "Resource" and isinstance(own, str) else kind
                yield from _references(definitions, inner, each, place)
