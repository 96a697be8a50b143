"""Who asks: from the token's text to a Caller, as everything that decides it is at this moment."""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.accounts import Account
from fhir_server.identity.directory import Role, institution_of, role_of
from fhir_server.identity.familiar import Familiars, Reading
from fhir_server.identity.rules import KnownRules
from fhir_server.identity.tokens import Token
from fhir_server.model import Key
from fhir_server.store.protocol import Store

EVERYTHING = (Scope("system", "*", "cruds"),)

_REFUSAL = "The token is unknown, over or revoked."


class Callers:
    """Those who ask a store, and what is known of those who asked before."""

    def __init__(self, store: Store) -> None:
        """Know nobody yet."""
        self._store = store
        self._familiars = Familiars()
        self._rules = KnownRules()

    async def authenticate(self, text: str, now: int, request: str) -> Caller:
        """Return the caller whose token this is. Raises `Unauthenticated` without telling why.

        `now` is the time of the request in milliseconds, `request` its id.
        """
        key = tokens.key(text)
        known = self._familiars.get(key.id)
        caller = await known.now(self._store, now, request) if known else None
        return caller or await self._read(Reading(self._store), key, now, request)

    async def feed(self, client: str, now: int, request: str) -> Caller:
        """Return the caller for a source system by the socket that it is known on.

        Raises `Unauthenticated`.
        """
        return await _feed(Reading(self._store), client, now, request)

    async def _read(self, reading: Reading, key: Key, now: int, request: str) -> Caller:
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
            caller = _person(account, token, now, request)
            if account.kind == "staff":
                role = await _role(reading, account, token, now)
                start, until = role.start, min(until, role.until)
                caller = await self._staff(reading, caller, token, role)
        caller = replace(caller, token=key.id)
        self._familiars.keep(reading, caller, start, until)
        return caller

    async def _staff(self, reading: Reading, person: Caller, token: Token, role: Role) -> Caller:
        place = await institution_of(reading, role.organization)
        if place is None:
            raise Unauthenticated(_REFUSAL)
        institution, organizations = place
        return replace(
            person,
            role=token.role,
            duty=role.duty,
            organization=institution,
            organizations=organizations,
            rules=await self._rules.of(reading, organizations),
        )


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


def _patient(account: Account, token: Token) -> str:
    """Return the patient a token is bound to; a patient's own account is bound to that patient."""
    if account.kind == "patient":
        return account.person.removeprefix("Patient/")
    return token.patient


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
