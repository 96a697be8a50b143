"""Logins of the pages: a session is a token in a cookie, and forms carry a word only it can make.

https://www.rfc-editor.org/rfc/rfc6265
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from fhir_server.authz.caller import Kind
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.errors import PreconditionFailed, Unauthenticated
from fhir_server.identity import accounts, tokens
from fhir_server.identity.accounts import Account, after_failure, after_success
from fhir_server.identity.passwords import Passwords
from fhir_server.identity.tokens import Token
from fhir_server.store.protocol import Store

_REFUSAL = "The login or the password is wrong, or there were too many tries: wait and try again."

LEVELS: dict[Kind, str] = {"patient": "patient", "feed": "system", "operator": "system"}
"""The level of the scopes that a login has, where it is not `user`."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """The session cookie's name and flags; `__Host-` binds it to this host where there is TLS."""

    secure: bool
    http_only: bool = True
    same_site: str = "lax"
    path: str = "/"

    @property
    def name(self) -> str:
        """Return the cookie's name."""
        return "__Host-hub" if self.secure else "hub"


async def check(store: Store, passwords: Passwords, login: str, password: str, now: int) -> Account:
    """Return the account whose password this is. Raises `Unauthenticated`, without telling why.

    Wrong passwords are counted durably; while an account waits, no password is tried.
    """
    key = accounts.key(login)
    version = await store.read(key)
    account = accounts.read(version)
    usable = account is not None and account.active and account.locked <= now
    right = await passwords.verify(account.password if account and usable else "", password)
    if account is None or version is None or not usable:
        raise Unauthenticated(_REFUSAL)
    changed = after_success(account) if right else after_failure(account, now)
    if changed != account:
        try:
            await store.commit([accounts.write(changed, expect=version.vid)])
        except PreconditionFailed:
            # Somebody else tried, or was changed, at the same moment: nobody gets a free try.
            raise Unauthenticated(_REFUSAL) from None
    if not right:
        raise Unauthenticated(_REFUSAL)
    return account


async def begin(
    store: Store, account: Account, role: str, now: int, minutes: int, secret: bytes
) -> str:
    """Open a session in one role and return the cookie's value. Raises `Unauthenticated`.

    `role` may be empty where the account has one role, or needs none.
    """
    chosen = role or (account.roles[0] if len(account.roles) == 1 else "")
    if account.kind == "staff" and chosen not in account.roles:
        raise Unauthenticated("Choose one of the roles of this account.")
    token = Token(
        "session",
        issued=now,
        expires=now + minutes * 60_000,
        account=account.login,
        role=chosen,
        scopes=(Scope(LEVELS.get(account.kind, "user"), "*", VERBS),),
    )
    text, write = tokens.issue(token, secret)
    await store.commit([write])
    return text


async def end(store: Store, text: str) -> None:
    """End a session: the cookie is worth nothing from now on."""
    await store.commit([tokens.revoke(text)])


def csrf(key: bytes, session: str) -> str:
    """Return the word that a form of this session carries."""
    digest = hmac.digest(key, b"csrf|" + session.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()


def is_csrf(key: bytes, session: str, word: str) -> bool:
    """Say whether a form came from a page of this session."""
    return hmac.compare_digest(csrf(key, session).encode(), word.encode())
