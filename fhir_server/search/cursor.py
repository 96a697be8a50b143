"""Cursors: where the next page starts, sealed so that only the hub can write and read it.

https://hl7.org/fhir/R4/http.html#paging

A place in an order holds values of records; so a cursor is encrypted, by AES-SIV (RFC 5297): no
nonce is needed, and the same page has the same link.
"""

import base64
import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fhir_server.errors import BadRequest

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Any, ...])


class Signer:
    """Encrypts payloads and opens what it encrypted."""

    def __init__(self, key: bytes) -> None:
        """Take the site's secret key; raises ValueError for one shorter than 16 bytes."""
        if len(key) < 16:
            raise ValueError("A key for cursors has at least 16 bytes")
        self._cipher = AESSIV(hashlib.sha512(b"fhir-hub cursor" + key).digest())

    def __repr__(self) -> str:
        return "Signer(…)"

    def seal(self, payload: tuple[Any, ...], bind: str) -> str:
        """Return URL-safe text that carries a payload of JSON values and holds only for `bind`."""
        sealed = self._cipher.encrypt(_encoder.encode(payload), [bind.encode()])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, bind: str) -> tuple[Any, ...]:
        """Return the payload; raises `BadRequest` where text or bind is not what was sealed."""
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            return _decoder.decode(self._cipher.decrypt(sealed, [bind.encode()]))
        except (ValueError, InvalidTag):
            raise BadRequest(
                "The page link does not hold: it was changed, or is another's"
            ) from None
