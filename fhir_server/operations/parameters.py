"""The parameters of an operation: in the query of its address, or in a body of Parameters.

https://hl7.org/fhir/R4/operations.html#request, https://hl7.org/fhir/R4/parameters.html
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.errors import BadRequest
from fhir_server.interactions.interaction import Interaction, Params

Json = dict[str, Any]


def parameters(body: bytes) -> list[Json]:
    """Return the parameters of a body; none of an empty one. Raises `BadRequest`.

    >>> parameters(b'{"resourceType":"Parameters","parameter":[{"name":"a"}]}')
    [{'name': 'a'}]
    """
    if not body:
        return []
    resource = fhirjson.decode(body)
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise BadRequest("The body of this operation is Parameters.")
    return listed(resource)


def listed(resource: Json) -> list[Json]:
    """Return the parameters of a Parameters resource. Raises `BadRequest`."""
    found = resource.get("parameter", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        words = "A list of objects is expected."
        raise BadRequest(Issue("structure", words, "Parameters.parameter"))
    return found


def texts(ask: Interaction) -> Params:
    """Return the parameters with simple values, as text: those of the address, then the body's.

    Raises `BadRequest` for a parameter of the body that has no simple value.
    """
    return (*ask.params, *simple(parameters(ask.body)))


def simple(given: list[Json]) -> Iterator[tuple[str, str]]:
    """Yield the names and the values, as text, of a body's parameters. Raises `BadRequest`."""
    for place, each in enumerate(given):
        values = [value for name, value in each.items() if name.startswith("value")]
        if not isinstance(each.get("name"), str) or len(values) != 1:
            raise _unread(place, "a name and one value are expected")
        yield each["name"], _text(values[0], place)


def _text(value: Any, place: int) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | Decimal():
            return str(value)
    raise _unread(place, "a simple value is expected")


def _unread(place: int, words: str) -> BadRequest:
    return BadRequest(Issue("invalid", f"Here {words}.", f"Parameters.parameter[{place}]"))


def once(name: str, given: Params) -> str:
    """Return the value of a parameter that may stand once, empty if it does not. `BadRequest` else.

    >>> once("max", (("max", "3"),))
    '3'
    """
    values = [text for each, text in given if each == name]
    if len(values) > 1:
        raise BadRequest(f"{name} is given twice; one of them is meant.")
    return values[0] if values else ""


def number(name: str, given: Params, least: int = 1) -> int | None:
    """Return a whole number of at least `least`, None if there is none. Raises `BadRequest`.

    >>> number("max", (("max", "3"),))
    3
    """
    text = once(name, given)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise BadRequest(f"{name}={text[:64]}: expected a whole number, {least} or more.")
    return int(text)


def flag(name: str, given: Params) -> bool:
    """Return a boolean, false if there is none. Raises `BadRequest`.

    >>> flag("persist", ())
    False
    """
    text = once(name, given)
    if text not in ("", "true", "false"):
        raise BadRequest(f"{name}={text[:64]}: expected true or false.")
    return text == "true"
