"""64 equal conditional requests at once, to two processes, make one resource and refuse nobody.

https://hl7.org/fhir/R4/http.html#ccreate
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fhir_server.bench.hub import Hub

Ask = Callable[[httpx.AsyncClient, int], Any]
PEOPLE = 64
HEADERS = {"Content-Type": "application/fhir+json"}
SPELLINGS = (
    "identifier=urn:s|{0}",
    "identifier=urn%3As%7C{0}",
    "identifier={0}",
    "identifier=urn:s|{0}&birthdate=2001-02-03",
    "birthdate=2001-02-03&identifier={0}",
)
WITHOUT_IDENTIFIER = ("family={0}&birthdate=2001-02-03", "birthdate=2001-02-03&family={0}")


def patient(value: str) -> dict[str, Any]:
    """Return a patient whom all spellings find."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:s", "value": value}],
        "name": [{"family": value}],
        "birthDate": "2001-02-03",
    }


async def _create(client: httpx.AsyncClient, value: str, criteria: str) -> httpx.Response:
    headers = {**HEADERS, "If-None-Exist": criteria}
    return await client.post("Patient", json=patient(value), headers=headers)


async def _update(client: httpx.AsyncClient, value: str, criteria: str) -> httpx.Response:
    return await client.put(f"Patient?{criteria}", json=patient(value), headers=HEADERS)


async def _transaction(client: httpx.AsyncClient, value: str, criteria: str) -> httpx.Response:
    request = {"method": "POST", "url": "Patient", "ifNoneExist": criteria}
    entry = {"resource": patient(value), "request": request}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    return await client.post("", json=bundle, headers=HEADERS)


async def _race(
    base: str, ask: Callable[..., Any], value: str, spellings: tuple[str, ...]
) -> tuple[Counter[int], int]:
    limits = httpx.Limits(max_connections=PEOPLE)
    async with httpx.AsyncClient(base_url=f"{base}/fhir", limits=limits, timeout=60) as client:
        answers = await asyncio.gather(
            *(
                ask(client, value, spellings[n % len(spellings)].format(value))
                for n in range(PEOPLE)
            )
        )
        found = await client.get(f"Patient?identifier={value}&_summary=count")
    return Counter(answer.status_code for answer in answers), json.loads(found.text)["total"]


@pytest.fixture
def base(url: str) -> Any:
    """Two processes on one store."""
    with Hub("--open", "--workers", "2", seed_demo=False, store=url) as hub:
        yield hub.base


def test_one_resource_and_nobody_refused(base: str) -> None:
    for name, ask in (("create", _create), ("update", _update), ("transaction", _transaction)):
        for kind, spellings in (("with", SPELLINGS), ("without", WITHOUT_IDENTIFIER)):
            statuses, total = asyncio.run(_race(base, ask, f"{name}{kind}", spellings))

            assert total == 1, (name, kind)
            assert set(statuses) <= {200, 201}, (name, kind, statuses)
