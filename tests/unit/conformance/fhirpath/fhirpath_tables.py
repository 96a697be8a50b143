"""What evaluates the tables of this folder."""

from datetime import UTC, datetime
from typing import Any

from conformance.fhirpath.expression import compile_with
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import NO_SERVICES, Services

NOW = datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def evaluate(
    model: Model,
    expression: str,
    resource: dict[str, Any] | None = None,
    services: Services = NO_SERVICES,
) -> list[Any]:
    """The values that an expression gives; quantities as (value, unit)."""
    types = [resource["resourceType"]] if resource else []
    compiled = compile_with(model, expression, types)
    found = compiled(resource or {}, now=NOW, services=services)
    return [plain(value) for _, value in found]


def plain(value: Any) -> Any:
    if isinstance(value, dict) and "value" in value and "unit" in value:
        return (value["value"], value["unit"])
    return value
