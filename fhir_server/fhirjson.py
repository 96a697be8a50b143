"""FHIR JSON as bytes: decoded with all digits, stored as sent, spliced when read.

https://hl7.org/fhir/R4/json.html

A resource is stored as its *tail*: everything after the server's own part of `meta`.
Reading puts the
head in front of it; nothing is serialised again, so decimals and text come back as they were sent.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import msgspec

from fhir_server.errors import BadRequest
from fhir_server.model import Key, Version

MAX_DEPTH = 100

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_top = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SERVERS_OWN = ("versionId", "lastUpdated")


def decode(body: bytes) -> Any:
    """Decode JSON; numbers are `int` or `Decimal`. Raises `BadRequest` with the place of
    the fault."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ArithmeticError) as fault:
        raise BadRequest(f"The body is not JSON that can be read: {fault}") from None


def encode(value: Any) -> bytes:
    """Encode JSON compactly; a `Decimal` becomes a number with all its digits."""
    return _encoder.encode(value)


def pretty(body: bytes) -> bytes:
    """Indent JSON without touching its values."""
    return msgspec.json.format(body, indent=2)


def tail(body: bytes) -> bytes:
    """Return what is stored of a resource that came as `body`: all but type, id and the
    server's meta.

    >>> tail(b'{"resourceType":"Basic","id":"1","meta":{"versionId":"7","source":"x"},"author":{}}')
    b',"source":"x"},"author":{}}'
    """
    top = _top.decode(body)
    meta = _decoder.decode(top["meta"]) if "meta" in top else {}
    parts = [
        b"," + encode(name) + b":" + encode(value)
        for name, value in meta.items()
        if name not in _SERVERS_OWN
    ]
    parts.append(b"}")
    for name, raw in top.items():
        if name not in ("resourceType", "id", "meta"):
            parts += (b",", encode(name), b":", bytes(raw))
    parts.append(b"}")
    return b"".join(parts)


def whole(version: Version) -> bytes:
    """Return the resource of a living version as JSON, its id, versionId and lastUpdated
    in place."""
    if version.body is None:
        raise ValueError(f"{version.key} is deleted")
    return head(version.key, version.vid, version.updated) + version.body


def head(key: Key, vid: int, updated: int) -> bytes:
    """Return the part of a resource that the server writes, up to the middle of `meta`."""
    return (
        f'{{"resourceType":"{key.type}","id":"{key.id}",'
        f'"meta":{{"versionId":"{vid}","lastUpdated":"{instant(updated)}"'
    ).encode()


def resource(version: Version) -> dict[str, Any]:
    """Decode the resource of a living version."""
    return cast(dict[str, Any], _decoder.decode(whole(version)))


@lru_cache(maxsize=4096)
def instant(milliseconds: int) -> str:
    """Write milliseconds since 1970 as a FHIR instant in UTC.

    >>> instant(0)
    '1970-01-01T00:00:00.000Z'
    """
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
