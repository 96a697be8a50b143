"""The values that the operations of a FHIRPath Patch carry, as the JSON of an element.

https://hl7.org/fhir/R4/fhirpatch.html

A value is `value[x]`, a resource, or, where the element has no type of its own (a backbone
element), `part`s that are its elements.
"""

from dataclasses import dataclass
from typing import Any

from conformance.definitions import Definitions, Element
from fhir_server.errors import BadRequest, Unprocessable
from fhir_server.interactions.places import marked

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A value, marked, with its mark if it is a primitive; `type` is empty where it has parts."""

    type: str
    value: Any
    mark: Json | None = None


def given(definitions: Definitions, part: Json, element: Element) -> Given:
    """Return the value that a parameter carries for an element.

    Raises `BadRequest`, and `Unprocessable` for a primitive where none can be.
    """
    if isinstance(part.get("resource"), dict):
        resource = part["resource"]
        return Given(str(resource.get("resourceType", "")), marked(resource))
    if "part" in part:
        return Given("", _built(definitions, _parts(part), element.types[0]))
    names = [name.removeprefix("_") for name in part if name.lstrip("_").startswith("value")]
    if not names or len(set(names)) > 1:
        raise BadRequest("An operation of a patch carries one value.")
    name = names[0]
    type = _type(definitions, name.removeprefix("value"))
    if definitions.types[type].kind != "primitive-type":
        return Given(type, marked(part[name]))
    if not element.choice and not _is_primitive(definitions, element):
        raise Unprocessable(f"{element.name} is {element.types[0]}, not {type}.")
    beside = part.get("_" + name)
    return Given(type, part.get(name), marked(beside) if isinstance(beside, dict) else {})


def property_of(element: Element, given: Given) -> str:
    """Return the JSON property that a value goes to. Raises `Unprocessable` for a wrong type."""
    if not element.choice:
        return element.name
    for name, type in element.properties():
        if type == given.type:
            return name
    words = f"{element.name}[x] is not {given.type or 'a value of parts'}"
    raise Unprocessable(f"{words}; it may be {', '.join(element.types[:20])}.")


def put(owner: Json, element: Element, given: Given) -> None:
    """Put a value into its element: at the end where that is a list."""
    name = property_of(element, given)
    if not element.many:
        owner[name] = given.value
        if given.mark is not None:
            owner["_" + name] = given.mark
        return
    owner.setdefault(name, []).append(given.value)
    if given.mark is not None:
        owner.setdefault("_" + name, []).append(given.mark)


def _is_primitive(definitions: Definitions, element: Element) -> bool:
    found = definitions.types.get(element.types[0])
    return found is not None and found.kind == "primitive-type"


def _type(definitions: Definitions, bare: str) -> str:
    for name in (bare, bare[:1].lower() + bare[1:]):
        if name in definitions.types:
            return name
    raise BadRequest(f"value{bare[:64]} is no value[x].")


def _built(definitions: Definitions, parts: list[Json], type: str) -> Json:
    """Return the object of a type that parts describe, one part an element."""
    made: Json = {}
    known = definitions.elements(type) if type in definitions.types else {}
    for part in parts:
        name = str(part.get("name", "")).removesuffix("[x]")
        element = known.get(name)
        if element is None:
            raise Unprocessable(f"{type} has no element {name[:64]!r}.")
        put(made, element, given(definitions, part, element))
    return made


def _parts(part: Json) -> list[Json]:
    found = part["part"]
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadRequest("Parameters.parameter.part is a list of objects.")
    return found
