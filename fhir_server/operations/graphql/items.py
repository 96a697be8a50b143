"""The values of an element, and which of a list an argument means.

https://hl7.org/fhir/R4/graphql.html
"""

from collections.abc import Iterator
from typing import Any

from fhir_server.operations.graphql.arguments import texts
from fhir_server.operations.graphql.schema import Found

Json = dict[str, Any]


def items(found: Found, node: Json) -> Iterator[tuple[str, Any]]:
    """Yield the values of an element, each with its type; what has no value is left out."""
    for prop, kind in found.properties:
        value = node.get(prop)
        for each in value if isinstance(value, list) else (value,):
            if each is not None:
                yield kind, each


def has(value: Any, given: Json) -> bool:
    """Tell whether an object has all the values of its primitives that are given."""
    return isinstance(value, dict) and all(
        not set(texts(value.get(name, []))).isdisjoint(texts(wish)) for name, wish in given.items()
    )
