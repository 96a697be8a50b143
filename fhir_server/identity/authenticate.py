"""Who asks: from the token's text to a Caller, read again on every request and never kept."""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.accounts import Account
from fhir_server.identity.directory import institution_of, role_of
from fhir_server.identity.known import rules_for
from fhir_server.identity.tokens import Token
from fhir_server.store.protocol import Store

EVERYTHING = (Scope("system", "*", "cruds"),)

_REFUSAL = "The token is unknown, over or revoked."


async def authenticate(store: Store, text: str, now: int, request: str) -> Caller:
    """Return the caller whose token this is. Raises `Unauthenticated` without telling why.

    `now` is the time of the request in milliseconds, `request` its id.
    """
    key = tokens.key(text)
    token = tokens.read(await store.read(key), now)
    if token is None:
        raise Unauthenticated(_REFUSAL)
    if token.client:
        return replace(await feed(store, token.client, now, request, token), token=key.id)
    account = accounts.read(await store.read(accounts.key(token.account)))
    if account is None or not account.active:
        raise Unauthenticated(_REFUSAL)
    if account.kind == "staff":
        return replace(await _staff(store, account, token, now, request), token=key.id)
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
        token=key.id,
    )


async def _staff(store: Store, account: Account, token: Token, now: int, request: str) -> Caller:
    role = await role_of(store, token.role, now) if token.role in account.roles else None
    if role is None or not account.person or role.practitioner != account.person:
        raise Unauthenticated(_REFUSAL)
    place = await institution_of(store, role.organization)
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
        rules=await rules_for(store, organizations),
        purpose=token.purpose,
        request=request,
        now=now,
    )


def _patient(account: Account, token: Token) -> str:
    """Return the patient a token is bound to; a patient's own account is bound to that patient."""
    if account.kind == "patient":
        return account.person.removeprefix("Patient/")
    return token.patient


async def feed(
    store: Store, client: str, now: int, request: str, token: Token | None = None
) -> Caller:
    """Return the caller for a source system, by its token or by the socket that it is known on."""
    known = clients.read(await store.read(clients.key(client)))
    place = None
    if known is not None and known.active:
        place = await institution_of(store, known.organization)
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
