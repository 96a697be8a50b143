"""Sign in and out, and the roles that an account may choose among."""

import secrets
from dataclasses import dataclass

from fhir_server.authz.caller import Caller
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, sessions, tokens
from fhir_server.identity.accounts import Account
from fhir_server.identity.directory import role_of
from fhir_server.identity.passwords import Passwords
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.web.directory import Language, name_of
from fhir_server.web.internal import tell

log = get_logger("login")


@dataclass(frozen=True, slots=True)
class Choice:
    """A role that an account may act in: the PractitionerRole's id, what and where in words."""

    id: str
    duty: str
    organization: str


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: the token's text, when it ends (milliseconds), and as whom it acts."""

    text: str
    expires: int
    caller: Caller


async def account_of(server: Server, passwords: Passwords, login: str, password: str) -> Account:
    """Return the account whose password this is. Raises `Unauthenticated`."""
    try:
        return await sessions.check(server.store, passwords, login, password, server.clock())
    except Unauthenticated:
        log.warning("login.refused")
        await _tell_refusal(server, login)
        raise


async def _tell_refusal(server: Server, login: str) -> None:
    """Keep the row of a login in vain; a name that is no account's may be a password, and is not
    kept."""
    account = accounts.read(await server.store.read(accounts.key(login)))
    if account is not None:
        caller = Caller(account.kind, account.login, request=server.new_id(), now=server.clock())
        ask = Interaction("operation", "account", account.login, operation="login")
        await tell(server, caller, ask, (), Unauthenticated.status)


async def open_session(server: Server, account: Account, role: str) -> Session:
    """Open a session, prove that it holds, and keep the audit row. Raises `Unauthenticated`."""
    now, minutes = server.clock(), server.settings.session_minutes
    secret = secrets.token_bytes(tokens.SECRET_BYTES)
    text = await sessions.begin(server.store, account, role, now, minutes, secret)
    try:
        caller = await server.callers.authenticate(text, now, server.new_id())
    except Unauthenticated:
        await sessions.end(server.store, text)
        raise
    await tell(
        server, caller, Interaction("operation", "account", account.login, operation="login")
    )
    return Session(text, now + minutes * 60_000, caller)


async def close_session(server: Server, caller: Caller, text: str) -> None:
    """End a session: its token is worth nothing from now on."""
    await sessions.end(server.store, text)
    ask = Interaction("operation", "account", caller.account, operation="logout")
    await tell(server, caller, ask)


async def own_account(server: Server, caller: Caller) -> Account | None:
    """Return the account that a caller is logged in by; None for a client or an open hub."""
    return accounts.read(await server.store.read(accounts.key(caller.account)))


async def choices(server: Server, account: Account, language: Language) -> list[Choice]:
    """Return the roles of an account that hold now, in the account's order."""
    found = []
    for id in account.roles:
        role = await role_of(server.store, id, server.clock())
        if role is not None:
            where = await name_of(server, role.organization, language)
            found.append(Choice(id, role.duty, where))
    return found
