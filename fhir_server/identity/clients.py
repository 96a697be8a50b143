"""Clients: source systems of institutions, and other software with an identity of its own."""

import hashlib
import hmac
from dataclasses import dataclass, field

import msgspec

from fhir_server import fhirjson
from fhir_server.model import Entry, Key, Version, Write


@dataclass(frozen=True, slots=True)
class Client:
    """A feed of the institution `organization` (an Organization's id).

    A secret is 256 random bits, so that its SHA-256 is enough to keep.
    """

    id: str
    name: str
    organization: str
    secret: str = field(default="", repr=False)
    active: bool = True


_decoder = msgspec.json.Decoder(Client)


def key(id: str) -> Key:
    """Return the record's key."""
    return Key("client", id)


def read(version: Version | None) -> Client | None:
    """Return the client of a living record."""
    return None if version is None or version.body is None else _decoder.decode(version.body)


def write(client: Client, expect: int | None = None) -> Write:
    """Return the write that keeps a client."""
    entries = (Entry("name", client.name), Entry("organization", client.organization))
    return Write(key(client.id), fhirjson.encode(client), entries, entries, expect=expect)


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(client: Client, secret: str) -> bool:
    """Say whether this is the client's secret; a client without one has none."""
    return bool(client.secret) and hmac.compare_digest(client.secret, hashed(secret))
