"""The site's key, from which all others are derived: given as a setting, or made once and kept."""

import hashlib
import hmac
from collections.abc import Callable

import msgspec

from fhir_server import fhirjson
from fhir_server.errors import PreconditionFailed
from fhir_server.model import Key, Version, Write
from fhir_server.store.protocol import Store

KEY = Key("site", "key")
LEAST = 16


class _Site(msgspec.Struct):
    key: str


async def site_key(store: Store, setting: str, random: Callable[[int], bytes]) -> bytes:
    """Return the key: the setting's (hex) or the store's, made by `random` if there is none yet.

    Of several processes that start at once one makes it and all use it. Raises ValueError where the
    setting is not hex or shorter than 16 bytes.
    """
    if setting:
        key = bytes.fromhex(setting)
        if len(key) < LEAST:
            raise ValueError(f"site_key has {len(key)} bytes; at least {LEAST} are needed")
        return key
    kept = await store.read(KEY)
    if kept is not None:
        return _read(kept)
    made = fhirjson.encode(_Site(random(32).hex()))
    try:
        return _read((await store.commit([Write(KEY, made, expect=0)]))[0])
    except PreconditionFailed:
        first = await store.read(KEY)
        if first is None:
            raise
        return _read(first)


def derived(key: bytes, purpose: str) -> bytes:
    """Return the key for one purpose (`cursor`, `csrf`, `id`): leaking one tells of no other."""
    return hmac.digest(key, b"fhir-hub|" + purpose.encode(), hashlib.sha256)


def _read(version: Version) -> bytes:
    return bytes.fromhex(msgspec.json.decode(version.body or b"", type=_Site).key)
