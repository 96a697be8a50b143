"""Expressions: FHIRPath compiled for a type, ready to be evaluated on JSON.

https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conformance.definitions import Definitions
from conformance.fhirpath.compiler import Compiler, Types
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import FHIR_NAME, Environment, Evaluator, Nodes
from conformance.fhirpath.parser import parse

Value = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; call it with a resource.

    `types` are all types that the results may have, None where that is not known before.
    """

    text: str
    types: frozenset[str] | None
    run: Evaluator

    def __call__(self, resource: dict[str, Any]) -> list[Value]:
        """The values found on a resource, each as (FHIR type, JSON value).

        Numbers are int or Decimal. A primitive without a value (only extensions) is left out.
        Raises FHIRPathError where evaluation fails, such as several items where one is needed.
        """
        root = (str(resource.get("resourceType", "")), resource, None)
        return values(self.run(Environment(resource), [root]))


def compile(expression: str, definitions: Definitions, *type_names: str) -> Expression:
    """Compile an expression that is evaluated on nodes of the types named; none named: of any type.

    Raises FHIRPathError for what is not FHIRPath, and for a name, function or type not known there.

    >>> from conformance.definitions import load
    >>> name = compile("Patient.name.given", load(), "Patient")
    >>> name({"resourceType": "Patient", "name": [{"given": ["Li", "Na"]}]})
    [('string', 'Li'), ('string', 'Na')]
    """
    return compile_with(Model(definitions), expression, type_names)


def compile_with(model: Model, expression: str, type_names: Iterable[str] = ()) -> Expression:
    """As `compile`, for many expressions that share a model."""
    focus: Types = frozenset(type_names) or None
    compiled = Compiler(model).compile(parse(expression), focus, at_root=True)
    return Expression(expression, compiled.types, compiled.run)


def values(nodes: Nodes) -> list[Value]:
    """Nodes as (FHIR type, value); those without a value are left out."""
    return [
        (FHIR_NAME.get(type_name, type_name), value)
        for type_name, value, _ in nodes
        if value is not None
    ]
