"""Fill an empty store with the demo city: its records, its users, its v2 source."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

from fhir_server import fhirjson
from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Caller, Kind
from fhir_server.demo.cast import USERS, User
from fhir_server.demo.city import build
from fhir_server.demo.referrals import refer
from fhir_server.demo.shapes import Made
from fhir_server.identity import accounts, clients
from fhir_server.identity.accounts import Account
from fhir_server.identity.authenticate import operator
from fhir_server.identity.clients import Client
from fhir_server.identity.passwords import Passwords
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import draft
from fhir_server.model import Key, Query, Write
from fhir_server.search.tree import EVERYTHING

BATCH = 200
RESOURCES_OF_A_REFERRAL = 3
CLIENTS = (
    Client("hospital-his", "市一医院 HIS", "hospital"),
    Client("hospital-lis", "市一医院检验", "hospital"),
)
KINDS: dict[str, Kind] = {
    "auditor": "auditor",
    "operator": "admin",
    "integrator": "admin",
    "patient": "patient",
}
"""Roles of the demo's users that are not those of staff who care for patients."""

Show = Callable[[Iterable[Made]], Iterable[Made]]


async def is_empty(server: Server) -> bool:
    """Tell whether the store holds no organization yet."""
    return not (await server.store.search(Query("Organization", EVERYTHING, limit=1))).versions


async def seed(server: Server, patients: int, today: date, show: Show = lambda made: made) -> int:
    """Write the city and return how many resources it has; `show` may watch them go by."""
    caller = operator(server.clock(), server.new_id(), "demo")
    count = 0
    for batch in batches(show(build(patients=patients, today=today))):
        writes = [write_of(server, caller, made) for made in batch]
        await server.store.commit([*writes, _row(caller, len(writes))])
        count += len(writes)
    await server.store.commit([clients.write(client) for client in CLIENTS])
    await add_users(server, USERS)
    return count + RESOURCES_OF_A_REFERRAL * await refer(server)


def write_of(server: Server, caller: Caller, made: Made) -> Write:
    """Return the write of one resource, checked and indexed, as its organization's own."""
    key = Key(made.resource["resourceType"], made.resource["id"])
    owner = replace(caller, organization=made.owner)
    ask = Interaction("update", type=key.type, id=key.id)
    return draft(server, owner, ask, made.resource, fhirjson.encode(made.resource), None).write


async def add_users(server: Server, users: Iterable[User]) -> None:
    """Write the demo's accounts, their passwords hashed like anybody's."""
    passwords = Passwords()
    made = await asyncio.gather(*(_account(passwords, user) for user in users))
    await server.store.commit([accounts.write(account) for account in made])


async def _account(passwords: Passwords, user: User) -> Account:
    person = (
        f"Patient/{user.patient_id}" if user.patient_id else f"Practitioner/{user.practitioner_id}"
    )
    return Account(
        user.login,
        KINDS.get(user.role, "staff"),
        user.name,
        person,
        (user.role_id,) if user.role_id else (),
        await passwords.hash(user.password),
    )


def batches(made: Iterable[Made]) -> Iterator[list[Made]]:
    """Cut a stream into lists that are committed together."""
    stream = iter(made)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _row(caller: Caller, count: int) -> Write:
    return audit_write(
        caller,
        interaction="demo",
        type="",
        id="",
        query=f"{count} resources",
        status=200,
        patients=(),
    )
