"""From a row of `version` to a Version, and back."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fhir_server.model import Entry, Key, Version

COLUMNS = "v.vid, v.updated, v.body, v.method, v.auth, v.patients"

_decode = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode
_encode = msgspec.msgpack.Encoder().encode


def pack(auth: Sequence[Entry]) -> bytes:
    """Return authorization entries as they are kept; none are kept as nothing."""
    return _encode(auth) if auth else b""


def version(key: Key, row: Sequence[Any]) -> Version:
    """Return the version of a row of COLUMNS."""
    vid, updated, body, method, auth, patients = row
    return Version(
        key,
        vid,
        updated,
        body,
        method,
        _decode(auth) if auth else (),
        tuple(patients.split(" ")) if patients else (),
    )


def key(ref: str) -> Key:
    """Return the key of a literal reference.

    >>> key("Patient/1")
    Key(type='Patient', id='1')
    """
    type, _, id = ref.partition("/")
    return Key(type, id)
