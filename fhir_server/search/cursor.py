"""Cursors: where the next page starts, sealed so that only the hub can have written it.

https://hl7.org/fhir/R4/http.html#paging
"""

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from fhir_server.errors import BadRequest

_SIZE = hashlib.sha256().digest_size
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Any, ...])


class Signer:
    """Seals payloads with HMAC-SHA256 and opens what it sealed."""

    def __init__(self, key: bytes) -> None:
        """Take the site's secret key; raises ValueError for one shorter than 16 bytes."""
        if len(key) < 16:
            raise ValueError("A signing key has at least 16 bytes")
        self._key = hashlib.sha256(b"fhir-hub cursor" + key).digest()

    def __repr__(self) -> str:
        return "Signer(…)"

    def seal(self, payload: tuple[Any, ...], bind: str) -> str:
        """Return URL-safe text that carries a payload of JSON values and holds only for `bind`."""
        body = _encoder.encode(payload)
        return base64.urlsafe_b64encode(self._mark(body, bind) + body).rstrip(b"=").decode()

    def open(self, text: str, bind: str) -> tuple[Any, ...]:
        """Return the payload; raises `BadRequest` where text or bind is not what was sealed."""
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            sealed = b""
        mark, body = sealed[:_SIZE], sealed[_SIZE:]
        if not hmac.compare_digest(mark, self._mark(body, bind)):
            raise BadRequest("The page link does not hold: it was changed, or is another's")
        return _decoder.decode(body)

    def _mark(self, body: bytes, bind: str) -> bytes:
        message = str(len(body)).encode() + b":" + body + bind.encode()
        return hmac.digest(self._key, message, "sha256")
