"""One record decided in memory; its grants are read only where nothing else decides."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, decide
from fhir_server.authz.grant import Grant
from fhir_server.authz.opened import Opened
from fhir_server.authz.single import grants_for, needs_grants, permits
from fhir_server.model import Entry, Page, Query, Version, Write
from fhir_server.search.tree import EVERYTHING, Node
from fhir_server.store.memory import MemoryStore
from fhir_server.store.sqlite.store import SQLiteStore

Make = Callable[..., Version]
Ask = Callable[..., Awaitable[bool]]
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

    assert await permits(Forgetful(), Opened(), doctor, where(doctor, "Observation"), own)


async def test_a_patient_is_decided_without_the_store(patient: Caller, record: Make) -> None:
    other = record("Observation/1", patients=("p2",))

    assert not needs_grants(where(patient, "Observation"))
    assert not await permits(Forgetful(), Opened(), patient, where(patient, "Observation"), other)


async def test_grants_are_found_among_more_than_a_page(doctor: Caller, record: Make) -> None:
    store = MemoryStore(lambda: 0)
    many = [
        Grant("p1", "clinic", "Consent/1", 0, via=f"Task/{number}", resources=(f"Binary/{number}",))
        for number in range(450)
    ]
    await store.commit([grant.write() for grant in many])
    seen = record("Binary/449", Entry("_owner", "hospital"), patients=("p1",))
    unseen = record("Binary/450", Entry("_owner", "hospital"), patients=("p1",))

    assert await permits(store, Opened(), doctor, where(doctor, "Binary"), seen)
    assert not await permits(store, Opened(), doctor, where(doctor, "Binary"), unseen)


async def test_grants_that_are_over_are_not_even_read(doctor: Caller, record: Make) -> None:
    store = MemoryStore(lambda: 0)
    await store.commit([Grant("p1", "clinic", "Consent/1", 0, until=doctor.now).write()])

    page = await store.search(grants_for(doctor, record("Observation/1")))

    assert page.versions == ()


class Once(MemoryStore):
    """A store that counts how often it is searched."""

    searches = 0

    async def search(self, query: Query) -> Page:
        self.searches += 1
        return await super().search(query)


CONSENT = Grant("p1", "clinic", "Consent/1", 0, resources=("Observation/1",))
FOREIGN = (Entry("_owner", "hospital"),)


@pytest.fixture
async def store() -> Once:
    made = Once(lambda: 0)
    await made.commit([CONSENT.write()])
    return made


@pytest.fixture
def ask(store: Once, doctor: Caller, record: Make) -> Ask:
    """Return what asks whether a record may be read, with what was kept of the question before."""
    opened = Opened()

    async def may_read(name: str = "Observation/1", *said: Entry, now: int = doctor.now) -> bool:
        caller = doctor.at(now, "")
        version = record(name, *(said or FOREIGN))
        return await permits(store, opened, caller, where(caller, version.key.type), version)

    return may_read


async def test_grants_that_opened_a_record_are_not_sought_again(store: Once, ask: Ask) -> None:
    assert await ask()
    assert await ask()

    assert store.searches == 1


async def test_a_grant_that_is_closed_shuts_on_the_next_request(store: Once, ask: Ask) -> None:
    assert await ask()
    await store.commit([replace(CONSENT, until=1).write()])

    assert not await ask()


async def test_a_grant_that_is_gone_shuts_on_the_next_request(store: Once, ask: Ask) -> None:
    assert await ask()
    await store.commit([Write(CONSENT.write().key, None)])

    assert not await ask()


async def test_a_grant_that_was_kept_ends_in_time(store: Once, ask: Ask, doctor: Caller) -> None:
    await store.commit([replace(CONSENT, until=doctor.now + 10).write()])
    assert await ask()

    assert not await ask(now=doctor.now + 10)


async def test_a_grant_that_is_new_opens_on_the_next_request(store: Once, ask: Ask) -> None:
    assert await ask()
    assert not await ask("Observation/2")
    more = Grant("p1", "clinic", "Consent/2", 0, resources=("Observation/2",))
    await store.commit([more.write()])

    assert await ask("Observation/2")


async def test_own_records_stay_open_when_a_grant_is_closed(store: Once, ask: Ask) -> None:
    own = Entry("_owner", "clinic")
    assert await ask()
    assert await ask("Observation/1", own)
    await store.commit([replace(CONSENT, until=1).write()])

    assert await ask("Observation/1", own)


async def test_what_needs_no_grants_is_decided_though_some_changed(
    store: Once, ask: Ask, doctor: Caller, record: Make
) -> None:
    opened, version = Opened(), record("Observation/1", *FOREIGN)
    opened.keep(doctor, version, [replace(await granted(store), vid=7)])

    assert await permits(store, opened, doctor, EVERYTHING, version)


async def granted(store: MemoryStore) -> Version:
    found = await store.read(CONSENT.write().key)
    assert found is not None
    return found


async def test_a_grant_that_another_process_closes_shuts_on_the_next_request(
    tmp_path: Path, doctor: Caller, record: Make
) -> None:
    here, there = (SQLiteStore(str(tmp_path / "hub.db"), lambda: 0) for _ in range(2))
    opened, seen = Opened(), record("Observation/1", *FOREIGN)
    allowed = where(doctor, "Observation")
    await there.commit([CONSENT.write()])
    before = await permits(here, opened, doctor, allowed, seen)
    await there.commit([replace(CONSENT, until=1).write()])
    after = await permits(here, opened, doctor, allowed, seen)
    await here.close()
    await there.close()

    assert (before, after) == (True, False)


def test_grants_of_many_are_not_kept(doctor: Caller, record: Make) -> None:
    opened, version = Opened(), record("Observation/1", *FOREIGN)
    opened.keep(doctor, version, [version] * 17)

    assert not opened.get(doctor, version)


def test_the_grants_used_longest_ago_are_forgotten(doctor: Caller, record: Make) -> None:
    opened = Opened()
    for number in range(4097):
        version = record("Observation/1", patients=(f"p{number}",))
        opened.keep(doctor, version, [version])

    kept = [opened.get(doctor, record("Observation/1", patients=(p,))) for p in ("p0", "p1")]

    assert list(map(bool, kept)) == [False, True]
