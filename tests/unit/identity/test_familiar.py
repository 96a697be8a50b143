"""A caller who asked before is not read again, and yet is who he is at this moment."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import decide
from fhir_server.authz.grant import Clause, Rule
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.authenticate import Callers
from fhir_server.identity.clients import Client
from fhir_server.model import Key, Version, Write
from fhir_server.store.memory import MemoryStore
from fhir_server.store.sqlite.store import SQLiteStore
from tests.unit.identity.conftest import LIU, NOW, City, organization, role

pytestmark = pytest.mark.anyio


class Counting(MemoryStore):
    """A memory store that counts the reads of records."""

    reads = 0

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        type(self).reads += 1
        return await super().read(key, vid)


async def known(city: City, **token: Any) -> str:
    """Return the token of somebody who has just asked."""
    text = await city.token(**({"account": "liu", "role": "r1"} | token))
    await city.callers.authenticate(text, NOW, "q")
    return text


async def test_what_did_not_change_is_not_read_again(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await known(city)
    monkeypatch.setattr(city.store, "__class__", Counting)

    await city.callers.authenticate(text, NOW, "q")

    assert city.store.reads == 0  # type: ignore[attr-defined]


async def test_time_and_request_are_those_of_the_request(city: City) -> None:
    text = await known(city)

    caller = await city.callers.authenticate(text, NOW + 7, "other")

    assert (caller.now, caller.request) == (NOW + 7, "other")


CLOSING: dict[str, Callable[[], Write]] = {
    "account": lambda: accounts.write(replace(LIU, active=False)),
    "account's roles": lambda: accounts.write(replace(LIU, roles=())),
    "role": lambda: role(active=False),
    "role deleted": lambda: Write(Key("PractitionerRole", "r1"), None),
    "ward": lambda: organization("ward", "hospital", active=False),
    "institution": lambda: organization("hospital", active=False),
}


@pytest.mark.parametrize("change", CLOSING.values(), ids=CLOSING)
async def test_what_closes_acts_on_the_next_request(
    city: City, change: Callable[[], Write]
) -> None:
    text = await known(city)
    await city.put(change())

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW, "q")


async def test_what_opens_again_acts_on_the_next_request(city: City) -> None:
    text = await known(city)
    await city.put(role(active=False))
    await city.put(role(active=True))

    assert (await city.callers.authenticate(text, NOW, "q")).duty == "physician"


async def test_a_rule_that_is_new_acts_on_the_next_request(city: City) -> None:
    text = await known(city)
    rule = Rule("hospital", "TREAT", (Clause(),))
    await city.put(*rule.writes())

    assert (await city.callers.authenticate(text, NOW, "q")).rules == (rule,)


async def test_an_institution_that_moves_acts_on_the_next_request(city: City) -> None:
    text = await known(city)
    await city.put(organization("ward", "clinic"))

    caller = await city.callers.authenticate(text, NOW, "q")

    assert (caller.organization, caller.organizations) == ("clinic", {"ward", "clinic"})


async def test_a_client_that_is_closed_is_refused_on_the_next_request(city: City) -> None:
    await city.put(clients.write(Client("lis", "检验系统", "hospital")))
    text = await known(city, account="", role="", client="lis")
    await city.put(clients.write(Client("lis", "检验系统", "hospital", active=False)))

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW, "q")


async def test_a_familiar_token_ends_in_time(city: City) -> None:
    text = await known(city, expires=NOW + 10)

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW + 10, "q")


async def test_a_familiar_role_ends_in_time(city: City) -> None:
    await city.put(role(period={"end": "2026-12-31"}))
    text = await known(city, expires=NOW * 2)

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW + 365 * 86_400_000, "q")


@pytest.fixture
def processes(tmp_path: Path) -> tuple[SQLiteStore, SQLiteStore]:
    """Two stores on one file, as two processes have them."""
    path = str(tmp_path / "hub.db")
    return SQLiteStore(path, lambda: NOW), SQLiteStore(path, lambda: NOW)


async def test_a_token_that_another_process_revokes_is_refused_on_the_next_request(
    processes: tuple[SQLiteStore, SQLiteStore],
) -> None:
    here, there = processes
    callers = Callers(here)
    await there.commit([accounts.write(replace(LIU, kind="auditor"))])
    text, write = tokens.issue(tokens.Token("bearer", NOW, NOW + 9, "liu"), bytes(32))
    await there.commit([write])
    await callers.authenticate(text, NOW, "q")
    await there.commit([tokens.revoke(text)])

    with pytest.raises(Unauthenticated):
        await callers.authenticate(text, NOW, "q")

    await here.close()
    await there.close()


def test_what_is_decided_of_a_caller_holds_for_his_next_request() -> None:
    caller = Caller("open", "open")
    made = decide(caller, "Patient", "read")

    assert decide(caller.at(2, "r"), "Patient", "read") is made


def test_what_is_decided_of_a_caller_is_not_decided_of_another() -> None:
    caller = Caller("patient", "wang", patient="p1")
    decide(caller, "Patient", "read")

    assert replace(caller, patient="p2").decided == {}
