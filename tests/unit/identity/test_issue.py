"""A token is issued only where somebody could use it."""

from typing import Any

import pytest

from fhir_server.authz.scopes import Scope
from fhir_server.errors import BadRequest
from fhir_server.identity import accounts, clients
from fhir_server.identity.accounts import Account
from fhir_server.identity.clients import Client
from fhir_server.identity.issue import Wish, issue
from tests.unit.identity.conftest import NOW, SCOPES, City

pytestmark = pytest.mark.anyio
OF_PATIENT = (Scope("patient", "*", "rs"),)
OF_SYSTEM = (Scope("system", "*", "c"),)


async def issued(city: City, **wish: Any) -> str:
    values: dict[str, Any] = {"scopes": SCOPES, "minutes": 1} | wish
    text, write = await issue(city.store, Wish(**values), NOW, b"s" * 32)
    await city.put(write)
    return text


async def test_a_token_of_staff_is_bound_to_the_role(city: City) -> None:
    caller = await city.callers.authenticate(await issued(city, account="Liu"), NOW, "q")

    assert (caller.account, caller.role) == ("liu", "r1")


async def test_a_token_of_a_patient_is_bound_to_the_patient(city: City) -> None:
    text = await issued(city, account="wang", scopes=OF_PATIENT, patient="p2")

    assert (await city.callers.authenticate(text, NOW, "q")).patient == "p1"


async def test_a_token_of_a_client_has_system_scopes(city: City) -> None:
    await city.put(clients.write(Client("lis", "LIS", "hospital")))
    text = await issued(city, client="lis", scopes=OF_SYSTEM)

    assert (await city.callers.authenticate(text, NOW, "q")).client == "lis"


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"account": "nobody"},
        {"client": "nobody"},
        {"account": "liu", "role": "r2"},
        {"account": "two"},
        {"account": "liu", "scopes": OF_PATIENT},
        {"account": "liu", "scopes": OF_SYSTEM},
    ],
)
async def test_what_nobody_could_use_is_refused(city: City, wish: dict[str, Any]) -> None:
    await city.put(accounts.write(Account("two", "staff", roles=("r1", "r3"))))

    with pytest.raises(BadRequest):
        await issued(city, **wish)
