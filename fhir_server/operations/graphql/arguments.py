"""The arguments of fields: which there are, and what they may be.

https://hl7.org/fhir/R4/graphql.html#searching

| field | arguments |
|---|---|
| `[Type]` | `id` |
| `[Type]List` | search parameters, `-` written `_`; `_count`, `_sort`, `fhirpath` |
| `[Type]Connection` | the same; `_cursor`, `_include`, `_revinclude` |
| either on a resource | besides: `_reference`, the parameter that points at it |
| `resource` of a Reference | `type`, `optional` |
| a list of objects | values of its primitives; `fhirpath`, `_offset`, `_count` |
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.operations.graphql import meta
from fhir_server.operations.graphql.schema import Found, Schema

_OF_SEARCH = frozenset(("_count", "_sort", "fhirpath"))
_OF_CONNECTION = _OF_SEARCH | {"_cursor", "_include", "_revinclude"}
_OF_LIST = frozenset(("fhirpath", "_offset", "_count"))
_NUMBERS = frozenset(("_offset", "_count"))


def search_names(schema: Schema, type: str) -> Mapping[str, str]:
    """Return the search parameters of a type by the names that they have in GraphQL.

    >>> from conformance.definitions import load
    >>> search_names(Schema(load()), "Patient")["address_city"]
    'address-city'
    """
    known = schema.definitions.search_parameters(type)
    return {code.replace("-", "_"): code for code in ("_id", "_lastUpdated", *known)}


def faults(schema: Schema, found: Found, given: Mapping[str, Any], inside: bool) -> Iterator[str]:
    """Yield what is wrong with a field's arguments; `inside` says that it is one of a resource."""
    match found.kind:
        case "one":
            yield from _unknown(given, frozenset(("id",)))
            if not isinstance(given.get("id"), str):
                yield "the argument id is needed, a text"
        case "list" | "connection":
            yield from _of_searches(schema, found, given, inside)
        case "target":
            yield from _unknown(given, frozenset(("type", "optional")))
            if not isinstance(given.get("optional", False), bool):
                yield "optional is true or false"
        case "meta":
            yield from meta.faults(found.properties[0][0], given)
        case "element" if found.many:
            yield from _unknown(given, _OF_LIST | _primitives(schema, found))
            yield from _numbers(given)
        case _:
            yield from _unknown(given, frozenset())


def _of_searches(
    schema: Schema, found: Found, given: Mapping[str, Any], inside: bool
) -> Iterator[str]:
    known = _OF_SEARCH if found.kind == "list" else _OF_CONNECTION
    names = known | search_names(schema, found.resource).keys()
    yield from _unknown(given, names | {"_reference"} if inside else names)
    yield from _numbers(given)
    if inside:
        code = search_names(schema, found.resource).get(str(given.get("_reference")))
        known_code = schema.definitions.search_parameters(found.resource).get(code or "")
        if known_code is None or known_code.type != "reference":
            yield f"_reference is needed: a parameter of {found.resource} that is a reference"


def _unknown(given: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    for name in given:
        if name not in known:
            told = ", ".join(sorted(known)) if len(known) < 10 else "a search parameter"
            yield f"there is no argument {name}; expected {told or 'none'}"


def _numbers(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _NUMBERS & given.keys():
        value = given[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            yield f"{name} is a whole number, 0 or more"


def _primitives(schema: Schema, found: Found) -> frozenset[str]:
    """Return the JSON names of the primitives in the objects of a list."""
    elements = (e for _, type in found.properties for e in schema.elements(type))
    return frozenset(
        prop for each in elements for prop, kind in each.properties() if schema.is_scalar(kind)
    )


def texts(value: Any) -> list[str]:
    """Return an argument's values as text; a list means any of them.

    >>> texts([True, "a"]), texts(5)
    (['true', 'a'], ['5'])
    """
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)]
