"""Issue a token to an account or a client: the operator's way, and the ground of OAuth's later."""

from dataclasses import dataclass

from fhir_server.authz.scopes import Scope
from fhir_server.errors import BadRequest
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.tokens import Token
from fhir_server.model import Write
from fhir_server.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: for an account or a client, with these scopes, for `minutes`.

    `role` may be empty where the account has one; `patient` is the id that patient/ scopes bind to.
    """

    scopes: tuple[Scope, ...]
    minutes: int
    account: str = ""
    client: str = ""
    role: str = ""
    patient: str = ""
    purpose: str = "TREAT"


async def issue(store: Store, wish: Wish, now: int, secret: bytes) -> tuple[str, Write]:
    """Return the token's text and the write that makes it hold. `secret` is 32 random bytes.

    Raises `BadRequest` where nobody could use such a token.
    """
    role, patient = wish.role, wish.patient
    if wish.client:
        if clients.read(await store.read(clients.key(wish.client))) is None:
            raise BadRequest(f"There is no client {wish.client!r}.")
    else:
        role, patient = await _for_account(store, wish)
    levels = {scope.level for scope in wish.scopes}
    if "patient" in levels and not patient:
        raise BadRequest("patient/ scopes need a patient.")
    if "system" in levels and not wish.client:
        raise BadRequest("system/ scopes are for clients; a person has user/ or patient/ scopes.")
    token = Token(
        "bearer",
        issued=now,
        expires=now + wish.minutes * 60_000,
        account=accounts.key(wish.account).id if wish.account else "",
        client=wish.client,
        role=role,
        patient=patient,
        scopes=wish.scopes,
        purpose=wish.purpose,
    )
    return tokens.issue(token, secret)


async def _for_account(store: Store, wish: Wish) -> tuple[str, str]:
    """Return the role and the patient that the account's token is bound to."""
    account = accounts.read(await store.read(accounts.key(wish.account)))
    if account is None:
        raise BadRequest(f"There is no account {wish.account!r}.")
    if account.kind == "patient":
        return "", account.person.removeprefix("Patient/")
    if account.kind != "staff":
        return "", wish.patient
    role = wish.role or (account.roles[0] if len(account.roles) == 1 else "")
    if role not in account.roles:
        raise BadRequest(f"Choose a role of {account.login}: {', '.join(account.roles)}.")
    return role, wish.patient
