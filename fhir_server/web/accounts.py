"""Accounts as an administrator sees them: list, and add one."""

from dataclasses import dataclass
from typing import get_args

from fhir_server.authz.caller import Caller, Kind
from fhir_server.errors import BadRequest, Conflict, Forbidden, PreconditionFailed
from fhir_server.identity import accounts
from fhir_server.identity.accounts import Account
from fhir_server.identity.passwords import Passwords
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Sort
from fhir_server.search.tree import EVERYTHING
from fhir_server.web.internal import guard, tell

LEAST = 8
MADE_BY_ADMIN: tuple[Kind, ...] = ("patient", "admin")
"""An administrator makes no login that reads what an administrator may not: staff and auditors are
made by the operator (`fhir-hub user add`)."""

_PERSON: dict[Kind, str] = {"staff": "Practitioner/", "patient": "Patient/"}
_MOST = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A login that is asked for; `person` a literal reference, `roles` ids of PractitionerRoles."""

    login: str
    password: str
    kind: str
    name: str = ""
    person: str = ""
    roles: tuple[str, ...] = ()


async def listing(server: Server, caller: Caller) -> list[Account]:
    """Return the accounts by login. Raises `Forbidden`."""
    ask = Interaction("search-type", "account")
    await guard(server, caller, ask, "search")
    page = await server.store.search(Query("account", EVERYTHING, (Sort("login"),), _MOST))
    await tell(server, caller, ask)
    return [found for version in page.versions if (found := accounts.read(version)) is not None]


async def add(server: Server, caller: Caller, passwords: Passwords, asked: Asked) -> Account:
    """Write a new account with its audit row.

    Raises `Forbidden`, `BadRequest` for what is no account, `Conflict` for a login that is taken.
    """
    ask = Interaction("create", "account", asked.login[:64])
    await guard(server, caller, ask, "create")
    kind = _kind(caller, asked)
    account = Account(
        asked.login, kind, asked.name, asked.person, asked.roles,
        await passwords.hash(asked.password),
    )  # fmt: skip
    row = audit_row(caller, ask, 201, ())
    try:
        await server.store.commit([accounts.write(account, expect=0), row])
    except PreconditionFailed:
        raise Conflict(f"There is a login {asked.login!r} already.") from None
    return account


def _kind(caller: Caller, asked: Asked) -> Kind:
    kind = next((kind for kind in get_args(Kind) if kind == asked.kind and kind != "open"), None)
    if kind is None:
        raise BadRequest(f"{asked.kind[:64]!r} is no kind of account.")
    if caller.kind == "admin" and kind not in MADE_BY_ADMIN:
        raise Forbidden(f"An administrator makes accounts of {', '.join(MADE_BY_ADMIN)}.")
    if len(asked.password) < LEAST:
        raise BadRequest(f"A password has at least {LEAST} characters.")
    prefix = _PERSON.get(kind, "")
    if not asked.person.startswith(prefix) or (prefix and asked.person == prefix):
        raise BadRequest(f"The person of a {kind} account is a reference {prefix}…")
    return kind  # type: ignore[no-any-return]  # get_args has no types
