"""The story's steps 3 to 5, through `perform` on a memory store."""
import pytest
from referral_city import REASON, City

from fhir_server import fhirjson
from fhir_server.errors import NotFound


pytestmark = pytest.mark.anyio

async def test_x(hub: City):
    city = hub
    papers = await city.draft()
    assert await city.found("clinic", "Task") == []
    await city.do("hospital", "send", papers.task)
    assert await city.found("clinic", "Task") == [papers.task]
    assert await city.found("clinic", "Observation") == ["pressure"]
    await city.do("clinic", "accept", papers.task)
    assert await city.found("clinic", "Observation") == ["older", "pressure"]
    assert await city.found("other", "Observation") == []
