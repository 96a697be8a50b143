"""Opaque tokens: 256 random bits, kept as a hash, read again on every request.

https://www.rfc-editor.org/rfc/rfc6750
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from fhir_server import fhirjson
from fhir_server.authz.scopes import Scope
from fhir_server.model import Entry, Key, Version, Write

PREFIX = "hub_"
SECRET_BYTES = 32

Kind = Literal["bearer", "session"]


@dataclass(frozen=True, slots=True)
class Token:
    """What a token stands for: an account in one role, or a client; until `expires`
    (milliseconds)."""

    kind: Kind
    issued: int
    expires: int
    account: str = ""
    client: str = ""
    role: str = ""
    patient: str = ""
    scopes: tuple[Scope, ...] = ()
    purpose: str = "TREAT"


_decoder = msgspec.json.Decoder(Token)


def key(text: str) -> Key:
    """Return the key of a token's record: who reads the store learns no token."""
    return Key("token", hashlib.sha256(text.encode()).hexdigest())


def issue(token: Token, secret: bytes) -> tuple[str, Write]:
    """Return the token's text, told once, and the write that makes it hold. `secret` is 32
    bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a token is made of {SECRET_BYTES} random bytes")
    text = PREFIX + base64.urlsafe_b64encode(secret).decode().rstrip("=")
    entries = (
        Entry("account", token.account),
        Entry("client", token.client),
        Entry("expires", token.expires),
    )
    return text, Write(key(text), fhirjson.encode(token), entries, entries, expect=0)


def read(version: Version | None, now: int) -> Token | None:
    """Return the token of a record that holds at `now`; None if there is none, or it is over."""
    if version is None or version.body is None:
        return None
    token = _decoder.decode(version.body)
    return token if now < token.expires else None


def revoke(text: str) -> Write:
    """Return the write after which the token is worth nothing."""
    return Write(key(text), None)
