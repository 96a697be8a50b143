"""Accounts: who may log in, as whom, in which roles.

An account never says what somebody may see: its kind, and the PractitionerRole that is read again
on every request, do. Failed logins are counted in the account and delay the next one.
"""

import re
from dataclasses import dataclass, replace

import msgspec

from fhir_server import fhirjson
from fhir_server.authz.caller import Kind
from fhir_server.errors import BadRequest
from fhir_server.model import Entry, Key, Version, Write

FREE_TRIES = 5
FIRST_WAIT = 30_000
LONGEST_WAIT = 900_000

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """One login. `person` is a literal reference, `roles` the ids of PractitionerRoles it may act
    in.

    `password` is an argon2id hash, empty where nobody can log in with one. `locked` is the
    millisecond before which no password is tried after `failed` wrong ones.
    """

    login: str
    kind: Kind
    name: str = ""
    person: str = ""
    roles: tuple[str, ...] = ()
    password: str = ""
    active: bool = True
    failed: int = 0
    locked: int = 0

    def __repr__(self) -> str:
        """Name the account and nothing secret."""
        return f"Account({self.login!r}, {self.kind!r})"


_decoder = msgspec.json.Decoder(Account)


def key(login: str) -> Key:
    """Return the record's key; logins do not tell upper case from lower."""
    return Key("account", login.strip().lower())


def read(version: Version | None) -> Account | None:
    """Return the account of a living record."""
    return None if version is None or version.body is None else _decoder.decode(version.body)


def write(account: Account, expect: int | None = None) -> Write:
    """Return the write that keeps an account. Raises `BadRequest` for a login that is none."""
    if not _LOGIN.fullmatch(account.login):
        raise BadRequest(f"{account.login!r} is no login; expected a-z, 0-9, '.', '_' and '-'.")
    entries = (
        Entry("login", account.login),
        Entry("kind", account.kind),
        *((Entry("person", account.person),) if account.person else ()),
    )
    return Write(key(account.login), fhirjson.encode(account), entries, entries, expect=expect)


def after_failure(account: Account, now: int) -> Account:
    """Return the account after a wrong password: from the fifth on, each waits twice as long."""
    failed = account.failed + 1
    excess = failed - FREE_TRIES
    wait = min(FIRST_WAIT << min(excess, 10), LONGEST_WAIT) if excess >= 0 else 0
    return replace(account, failed=failed, locked=now + wait if wait else account.locked)


def after_success(account: Account) -> Account:
    """Return the account after the right password."""
    return replace(account, failed=0, locked=0)
