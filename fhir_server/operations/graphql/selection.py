"""What is selected of an object: fields with their arguments, directives and selections.

https://spec.graphql.org/October2021/#sec-Selection-Sets
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from conformance.fhirpath import Expression
from fhir_server.operations.graphql.errors import Place

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field that is asked for. `where` is its argument `fhirpath`, `slice` the path of the
    directive, None for `$index`."""

    key: str
    name: str
    arguments: Values
    chosen: "Selection"
    place: Place | None
    flatten: bool = False
    first: bool = False
    singleton: bool = False
    sliced: bool = False
    slice: Expression | None = None
    where: Expression | None = None


class Chosen(NamedTuple):
    """A field, and the conditions of the fragments around it: objects that fit all have it."""

    on: tuple[str, ...]
    field: Field


Selection = tuple[Chosen, ...]
