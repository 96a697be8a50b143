"""One record decided in memory; its grants are read only where nothing else decides."""

from collections.abc import Callable

import pytest

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, decide
from fhir_server.authz.grant import Grant
from fhir_server.authz.single import grants_for, needs_grants, permits
from fhir_server.model import Entry, Page, Query, Version
from fhir_server.search.tree import Node
from fhir_server.store.memory import MemoryStore

Make = Callable[..., Version]
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Forgetful:
    """A store that must not be asked."""

    async def search(self, query: Query) -> Page:
        raise AssertionError("asked without need")


def where(caller: Caller, type: str) -> Node:
    decision = decide(caller, type, "read")
    assert isinstance(decision, Allow)
    return decision.where


async def test_own_records_are_decided_without_the_store(doctor: Caller, record: Make) -> None:
    own = record("Observation/1", Entry("_owner", "clinic"))

    assert await permits(Forgetful(), doctor, where(doctor, "Observation"), own)


async def test_a_patient_is_decided_without_the_store(patient: Caller, record: Make) -> None:
    other = record("Observation/1", patients=("p2",))

    assert not needs_grants(where(patient, "Observation"))
    assert not await permits(Forgetful(), patient, where(patient, "Observation"), other)


async def test_grants_are_found_among_more_than_a_page(doctor: Caller, record: Make) -> None:
    store = MemoryStore(lambda: 0)
    many = [
        Grant("p1", "clinic", "Consent/1", 0, via=f"Task/{number}", resources=(f"Binary/{number}",))
        for number in range(450)
    ]
    await store.commit([grant.write() for grant in many])
    seen = record("Binary/449", Entry("_owner", "hospital"), patients=("p1",))
    unseen = record("Binary/450", Entry("_owner", "hospital"), patients=("p1",))

    assert await permits(store, doctor, where(doctor, "Binary"), seen)
    assert not await permits(store, doctor, where(doctor, "Binary"), unseen)


async def test_grants_that_are_over_are_not_even_read(doctor: Caller, record: Make) -> None:
    store = MemoryStore(lambda: 0)
    await store.commit([Grant("p1", "clinic", "Consent/1", 0, until=doctor.now).write()])

    page = await store.search(grants_for(doctor, record("Observation/1")))

    assert page.versions == ()
