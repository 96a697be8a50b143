"""A small city in a memory store: a hospital with a ward, a clinic, and who works there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from argon2 import PasswordHasher

from fhir_server import fhirjson
from fhir_server.authz.scopes import Scope
from fhir_server.identity import accounts, tokens
from fhir_server.identity.accounts import Account
from fhir_server.identity.authenticate import Callers
from fhir_server.identity.passwords import Passwords
from fhir_server.identity.tokens import Token
from fhir_server.model import Key, Write
from fhir_server.store.memory import MemoryStore

NOW = 1_790_000_000_000
SCOPES = (Scope("user", "*", "cruds"),)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(lambda: NOW)


@pytest.fixture
def passwords() -> Passwords:
    """The cheapest parameters: these tests are not about the cost."""
    return Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def resource(body: dict[str, Any]) -> Write:
    key = Key(body["resourceType"], body["id"])
    return Write(key, fhirjson.tail(fhirjson.encode(body)))


def organization(id: str, above: str = "", **more: Any) -> Write:
    part = {"partOf": {"reference": f"Organization/{above}"}} if above else {}
    return resource({"resourceType": "Organization", "id": id} | part | more)


def role(**more: Any) -> Write:
    body = {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "active": True,
        "practitioner": {"reference": "Practitioner/liu"},
        "organization": {"reference": "Organization/ward"},
        "code": [{"coding": [{"system": "x", "code": "physician"}]}],
    }
    return resource(body | more)


LIU = Account("liu", "staff", "刘医生", "Practitioner/liu", roles=("r1",))


@dataclass(frozen=True)
class City:
    """The store, who asks it, and how to get a token in it."""

    store: MemoryStore
    callers: Callers

    async def put(self, *writes: Write) -> None:
        await self.store.commit(writes)

    async def token(self, secret: int = 1, **more: Any) -> str:
        values: dict[str, Any] = {"issued": NOW, "expires": NOW + 1000, "scopes": SCOPES} | more
        text, write = tokens.issue(Token("bearer", **values), bytes([secret]) * 32)
        await self.put(write)
        return text


@pytest.fixture
async def city(store: MemoryStore) -> City:
    made = City(store, Callers(store))
    await made.put(
        organization("hospital"),
        organization("ward", "hospital"),
        organization("clinic"),
        role(),
        accounts.write(LIU),
        accounts.write(Account("wang", "patient", "王", "Patient/p1")),
        accounts.write(Account("zhao", "auditor", "赵")),
    )
    return made


Random = Callable[[int], bytes]
