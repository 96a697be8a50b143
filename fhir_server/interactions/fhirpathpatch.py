"""FHIRPath Patch: a Parameters resource of operations, without touching what it is applied to.

https://hl7.org/fhir/R4/fhirpatch.html

| type | parameters | what it does |
|---|---|---|
| add | path, name, value | adds an element to the one element of the path, in a list at its end |
| insert | path, index, value | puts a value into the list of the path, before that index |
| delete | path | removes the one element of the path; none there is no error |
| replace | path, value | puts a value in the place of the one element of the path |
| move | path, source, destination | moves an element within the list of the path |
"""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.definitions import Definitions
from conformance.issues import Issue
from fhir_server.errors import BadRequest, HubError, TooLarge, Unprocessable
from fhir_server.interactions import patchvalues
from fhir_server.interactions.patchvalues import given, property_of, put
from fhir_server.interactions.places import Place, Places, marked, unmarked

MAX_OPERATIONS = 1000

Json = dict[str, Any]
Parts = Mapping[str, Json]


def apply(definitions: Definitions, resource: Json, patch: Any) -> Any:
    """Return the resource after all operations, in order.

    Raises `BadRequest` where the patch is not one, and `Unprocessable` where it cannot be applied,
    both with the operation's place; `TooLarge` for too many.
    """
    operations = _operations(patch)
    places = Places(definitions, marked(resource))
    for number, operation in enumerate(operations):
        try:
            parts = _parts(operation)
            _STEPS[_type(parts)](places, parts)
        except (BadRequest, Unprocessable) as fault:
            raise _at(number, fault) from None
    return unmarked(places.root)


def _operations(patch: Any) -> list[Any]:
    if not isinstance(patch, dict) or patch.get("resourceType") != "Parameters":
        raise BadRequest("A FHIRPath Patch is a Parameters resource.")
    found = patch.get("parameter", [])
    if not isinstance(found, list):
        raise BadRequest(Issue("invalid", "A list is expected.", "Parameters.parameter"))
    if len(found) > MAX_OPERATIONS:
        raise TooLarge(f"A patch may have {MAX_OPERATIONS} operations; this has {len(found)}.")
    return found


def _at(number: int, fault: HubError) -> HubError:
    where = f"Parameters.parameter[{number}]"
    return type(fault)(*(Issue(each.code, each.diagnostics, where) for each in fault.issues))


def _parts(operation: Any) -> Parts:
    """Return the parts of an operation by name. Raises `BadRequest`."""
    if not isinstance(operation, dict) or operation.get("name") != "operation":
        raise BadRequest("Each parameter of a FHIRPath Patch is named operation.")
    found = operation.get("part")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadRequest("An operation has parts.")
    named = {str(each.get("name")): each for each in found}
    if len(named) != len(found):
        raise BadRequest("Each part of an operation stands once.")
    return named


def _type(parts: Parts) -> str:
    name = _text(parts, "type")
    if name not in _STEPS:
        raise BadRequest(f"{name[:64]!r} is no type of operation; {', '.join(_STEPS)} are.")
    return name


def _text(parts: Parts, name: str) -> str:
    part = parts.get(name, {})
    values = [value for key, value in part.items() if key.startswith("value")]
    if len(values) != 1 or not isinstance(values[0], str):
        raise BadRequest(f"The operation needs {name}, a string.")
    return values[0]


def _number(parts: Parts, name: str) -> int:
    value = parts.get(name, {}).get("valueInteger")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRequest(f"The operation needs {name}, an integer of 0 or more.")
    return value


def _value(parts: Parts) -> Json:
    if "value" not in parts:
        raise BadRequest("The operation needs a value.")
    return parts["value"]


def _one(places: Places, path: str) -> tuple[str, Json]:
    found = places.owners(path)
    if len(found) != 1:
        raise Unprocessable(f"{path} leads to {len(found)} elements; one is expected.")
    return found[0]


def _add(places: Places, parts: Parts) -> None:
    path = _text(parts, "path")
    type, owner = _one(places, path)
    element = places.element(type, _text(parts, "name"))
    value = given(places.definitions, _value(parts), element)
    there = [name for name, _ in element.properties() if _is_there(owner, name)]
    if there and not element.many:
        raise Unprocessable(f"{path}.{there[0]} is there already; replace it.")
    put(owner, element, value)


def _is_there(owner: Json, name: str) -> bool:
    return name in owner or bool(owner.get("_" + name))


def _insert(places: Places, parts: Parts) -> None:
    path, index = _text(parts, "path"), _number(parts, "index")
    place = places.listed(path)
    element = places.element(place.type, place.name)
    if not element.many:
        raise Unprocessable(f"{path} is no list.")
    value = given(places.definitions, _value(parts), element)
    values, marks = _lists(place)
    if index > len(values):
        raise Unprocessable(f"{path} has {len(values)} elements; index {index} is beyond its end.")
    property_of(element, value)
    values.insert(index, value.value)
    if value.mark is not None:
        marks.insert(index, value.mark)
        place.owner["_" + place.name] = marks
    place.owner[place.name] = values


def _lists(place: Place) -> tuple[list[Any], list[Any]]:
    """Return the list of a place and its marks, as they are or to be."""
    values = place.owner.get(place.name, [])
    marks = place.owner.get("_" + place.name, [])
    return (values if isinstance(values, list) else [values]), marks


def _delete(places: Places, parts: Parts) -> None:
    path = _text(parts, "path")
    found = places.owners(path)
    if not found:
        return
    if len(found) > 1:
        raise Unprocessable(f"{path} leads to {len(found)} elements; one is deleted at a time.")
    place = places.place(found[0][1], path)
    for name in (place.name, "_" + place.name):
        if place.index is None:
            place.owner.pop(name, None)
        elif name in place.owner:
            del place.owner[name][place.index]


def _replace(places: Places, parts: Parts) -> None:
    path = _text(parts, "path")
    _, sought = _one(places, path)
    place = places.place(sought, path)
    element = places.element(place.type, place.name)
    value = given(places.definitions, _value(parts), element)
    name = property_of(element, value)
    if place.index is not None:
        place.owner[name][place.index] = value.value
        if value.mark is not None:
            place.owner["_" + name][place.index] = value.mark
        return
    for old in (place.name, "_" + place.name):
        place.owner.pop(old, None)
    patchvalues.put(place.owner, element, value)


def _move(places: Places, parts: Parts) -> None:
    path = _text(parts, "path")
    source, destination = _number(parts, "source"), _number(parts, "destination")
    place = places.listed(path)
    values, marks = _lists(place)
    for name, index in (("source", source), ("destination", destination)):
        if index >= len(values):
            raise Unprocessable(f"{path} has {len(values)} elements; {name} {index} is beyond.")
    for each in (values, marks):
        if each:
            each.insert(destination, each.pop(source))


_STEPS: dict[str, Callable[[Places, Parts], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}
