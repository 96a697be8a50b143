"""Fixtures of the referral's tests."""

from dataclasses import replace

import pytest
from referral_city import CALLERS, RECORD, City

from fhir_server import fhirjson
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
async def hub(anyio_backend: str, city: City) -> City:
    """A city in which the hospital has recorded two patients."""
    for name in ("hospital", "clinic", "other"):
        await city.put("operator", {"resourceType": "Organization", "id": name, "name": name})
    feed = replace(CALLERS["hospital"], kind="feed", now=city.now)
    for resource in RECORD:
        body = fhirjson.encode(resource)
        ask = Interaction("update", resource["resourceType"], resource["id"], body=body)
        await perform(city.server, feed, ask)
    return city
