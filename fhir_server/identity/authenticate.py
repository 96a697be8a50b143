"""Who asks: from the token's text to a Caller, as everything that decides it is at this moment."""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, clients, familiar, tokens
from fhir_server.identity.accounts import Account
from fhir_server.identity.directory import Role, institution_of, role_of
from fhir_server.identity.familiar import Reading
from fhir_server.identity.known import rules_for
from fhir_server.identity.tokens import Token
from fhir_server.model import Key
from fhir_server.store.protocol import Store

EVERYTHING = (Scope("system", "*", "cruds"),)

_REFUSAL = "The token is unknown, over or revoked."


async def authenticate(store: Store, text: str, now: int, request: str) -> Caller:
    """Return the caller whose token this is. Raises `Unauthenticated` without telling why.

    `now` is the time of the request in milliseconds, `request` its id.
    """
    key = tokens.key(text)
    known = familiar.of(store, key.id)
    caller = await known.now(store, now, request) if known else None
    return caller or await _read(Reading(store), key, now, request)


async def _read(reading: Reading, key: Key, now: int, request: str) -> Caller:
    """Read everything that a token stands for, and keep it for the next request."""
    token = tokens.read(await reading.read(key), now)
    if token is None:
        raise Unauthenticated(_REFUSAL)
    start, until = 0, token.expires
    if token.client:
        caller = await _feed(reading, token.client, now, request, token)
    else:
        account = accounts.read(await reading.read(accounts.key(token.account)))
        if account is None or not account.active:
            raise Unauthenticated(_REFUSAL)
        if account.kind == "staff":
            role = await _role(reading, account, token, now)
            start, until = role.start, min(until, role.until)
            caller = await _staff(reading, account, token, role, now, request)
        else:
            caller = _person(account, token, now, request)
    caller = replace(caller, token=key.id)
    familiar.remember(reading, caller, start, until)
    return caller


def _person(account: Account, token: Token, now: int, request: str) -> Caller:
    return Caller(
        kind=account.kind,
        account=account.login,
        name=account.name,
        person=account.person,
        patient=_patient(account, token),
        scopes=token.scopes,
        purpose=token.purpose,
        request=request,
        now=now,
    )


async def _role(reading: Reading, account: Account, token: Token, now: int) -> Role:
    role = await role_of(reading, token.role, now) if token.role in account.roles else None
    if role is None or not account.person or role.practitioner != account.person:
        raise Unauthenticated(_REFUSAL)
    return role


async def _staff(
    reading: Reading, account: Account, token: Token, role: Role, now: int, request: str
) -> Caller:
    place = await institution_of(reading, role.organization)
    if place is None:
        raise Unauthenticated(_REFUSAL)
    institution, organizations = place
    return Caller(
        kind="staff",
        account=account.login,
        name=account.name,
        person=account.person,
        role=token.role,
        duty=role.duty,
        organization=institution,
        organizations=organizations,
        patient=token.patient,
        scopes=token.scopes,
        rules=await rules_for(reading, organizations),
        purpose=token.purpose,
        request=request,
        now=now,
    )


def _patient(account: Account, token: Token) -> str:
    """Return the patient a token is bound to; a patient's own account is bound to that patient."""
    if account.kind == "patient":
        return account.person.removeprefix("Patient/")
    return token.patient


async def feed(store: Store, client: str, now: int, request: str) -> Caller:
    """Return the caller for a source system by the socket that it is known on.

    Raises `Unauthenticated`.
    """
    return await _feed(Reading(store), client, now, request)


async def _feed(
    reading: Reading, client: str, now: int, request: str, token: Token | None = None
) -> Caller:
    known = clients.read(await reading.read(clients.key(client)))
    place = None
    if known is not None and known.active:
        place = await institution_of(reading, known.organization)
    if known is None or place is None:
        raise Unauthenticated(f"The client {client!r} is unknown, or its institution is closed.")
    institution, organizations = place
    return Caller(
        kind="feed",
        account=f"client.{client}",
        name=known.name,
        organization=institution,
        organizations=organizations,
        client=client,
        scopes=token.scopes if token else EVERYTHING,
        purpose=token.purpose if token else "TREAT",
        request=request,
        now=now,
    )


def operator(now: int, request: str, name: str = "operator") -> Caller:
    """Return the caller for the command line of the machine's owner."""
    return Caller("operator", name, name, scopes=EVERYTHING, request=request, now=now)


def anybody(now: int, request: str) -> Caller:
    """Return the caller for everybody on a hub that was started with `--open`."""
    return Caller("open", "open", "anybody", scopes=EVERYTHING, request=request, now=now)
