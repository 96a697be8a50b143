"""Expressions: FHIRPath compiled for a type, ready to be evaluated on JSON.

https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from conformance.definitions import Definitions
from conformance.fhirpath.compiler import Compiler, Types
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import (
    FHIR_NAME,
    NO_SERVICES,
    Environment,
    Evaluator,
    Nodes,
    Services,
)
from conformance.fhirpath.parser import parse

Value = tuple[str, Any]

NOTHING: Mapping[str, Nodes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; call it with a resource.

    `types` are all types that the results may have, None where that is not known before.
    """

    text: str
    types: frozenset[str] | None
    run: Evaluator

    def __call__(
        self,
        resource: dict[str, Any],
        *,
        now: datetime | None = None,
        variables: Mapping[str, Nodes] = NOTHING,
        resolve: Callable[[str], dict[str, Any] | None] | None = None,
        services: Services = NO_SERVICES,
    ) -> list[Value]:
        """The values found on a resource, each as (FHIR type, JSON value).

        Numbers are int or Decimal. A primitive without a value (only extensions) is left out.
        Raises FHIRPathError where evaluation fails, such as several items where one is needed.
        """
        root = (str(resource.get("resourceType", "")), resource, None)
        env = Environment(resource, variables, now, resolve, services=services)
        return evaluated(self.run, env, [root])


def evaluated(run: Evaluator, env: Environment, nodes: Nodes) -> list[Value]:
    """The values that a closure finds on nodes; raises FHIRPathError where evaluation fails."""
    try:
        return values(run(env, nodes))
    except RecursionError:
        raise FHIRPathError("found more levels of nesting than can be walked") from None


def compile(
    expression: str,
    definitions: Definitions,
    *type_names: str,
    variables: Set[str] = frozenset(),
    strict: bool = False,
) -> Expression:
    """Compile an expression that is evaluated on nodes of the types named; none named: of any type.

    `variables` names those that evaluation will be handed. With `strict`, what R4's own search
    parameters and invariants need beyond the specification is an error (see `Compiler`). Raises
    FHIRPathError for what is not FHIRPath, and for a name, function or type not known there.

    >>> from conformance.definitions import load
    >>> name = compile("Patient.name.given", load(), "Patient")
    >>> name({"resourceType": "Patient", "name": [{"given": ["Li", "Na"]}]})
    [('string', 'Li'), ('string', 'Na')]
    """
    return compile_with(
        Model(definitions), expression, type_names, variables=variables, strict=strict
    )


def compile_with(
    model: Model,
    expression: str,
    type_names: Iterable[str] = (),
    *,
    variables: Set[str] = frozenset(),
    strict: bool = False,
) -> Expression:
    """As `compile`, for many expressions that share a model."""
    focus: Types = frozenset(type_names) or None
    compiler = Compiler(model, variables, strict=strict)
    compiled = compiler.compile(parse(expression), focus, at_root=True)
    return Expression(expression, compiled.types, compiled.run)


def values(nodes: Nodes) -> list[Value]:
    """Nodes as (FHIR type, value); those without a value are left out."""
    return [
        (FHIR_NAME.get(type_name, type_name), value)
        for type_name, value, _ in nodes
        if value is not None
    ]
