"""One small city, built once for all tests that only read it."""

from collections import defaultdict

import pytest

from fhir_server.demo.city import build
from fhir_server.demo.shapes import Json, Made

PATIENTS = 60


@pytest.fixture(scope="session")
def made() -> tuple[Made, ...]:
    return tuple(build(PATIENTS))


@pytest.fixture(scope="session")
def resources(made: tuple[Made, ...]) -> tuple[Json, ...]:
    return tuple(entry.resource for entry in made)


@pytest.fixture(scope="session")
def of(resources: tuple[Json, ...]) -> dict[str, list[Json]]:
    """The resources by type."""
    found: dict[str, list[Json]] = defaultdict(list)
    for resource in resources:
        found[resource["resourceType"]].append(resource)
    return found


@pytest.fixture(scope="session")
def by_reference(resources: tuple[Json, ...]) -> dict[str, Json]:
    return {f"{resource['resourceType']}/{resource['id']}": resource for resource in resources}
