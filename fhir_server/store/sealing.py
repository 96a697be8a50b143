"""Frames of which none can be changed, left out, put elsewhere or cut off without being noticed.

1. With a key each frame is sealed with AES-256-GCM (NIST SP 800-38D). The nonce is the frame's
   number and whether it is the last one (the construction STREAM: Hoang, Reyhanitabar, Rogaway and
   Vizár 2015, https://eprint.iacr.org/2015/189), the key is the archive's own, derived (HKDF, RFC
   5869) from the site's key and a random salt. So a nonce never comes twice under one key.
2. Without one each frame ends with the SHA-256 of the frames before it and of itself: damage is
   noticed, but whoever changes an archive on purpose can compute it anew.
"""

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_DIGEST = 32


class Damaged(ValueError):
    """A frame is not what was written, or not where it was written."""


class Frames(Protocol):
    """Closes the frames of one archive, or opens them, one after the other."""

    def close(self, content: bytes, *, last: bool) -> bytes:
        """Return the next frame."""

    def open(self, frame: bytes, *, last: bool) -> bytes:
        """Return the content of the next frame. Raises Damaged."""


class Sealed:
    """Frames that only who has the key can read or make."""

    def __init__(self, key: bytes, header: bytes, salt: bytes) -> None:
        """Derive the archive's key; the `header` is bound to every frame."""
        derive = HKDF(hashes.SHA256(), KEY_BYTES, salt, b"fhir-hub archive")
        self._cipher = AESGCM(derive.derive(key))
        self._header = header
        self._number = 0

    def close(self, content: bytes, *, last: bool) -> bytes:
        """Return the next frame."""
        return self._cipher.encrypt(self._nonce(last), content, self._header)

    def open(self, frame: bytes, *, last: bool) -> bytes:
        """Return the content of the next frame. Raises Damaged."""
        try:
            return self._cipher.decrypt(self._nonce(last), frame, self._header)
        except InvalidTag:
            raise Damaged from None

    def _nonce(self, last: bool) -> bytes:
        self._number += 1
        return self._number.to_bytes(11, "big") + bytes([last])


class Chained:
    """Frames that anybody can read, in which damage is noticed."""

    def __init__(self, header: bytes) -> None:
        """Begin the chain with the header."""
        self._before = hashlib.sha256(header).digest()

    def close(self, content: bytes, *, last: bool) -> bytes:
        """Return the next frame."""
        return content + self._next(content, last)

    def open(self, frame: bytes, *, last: bool) -> bytes:
        """Return the content of the next frame. Raises Damaged."""
        content, digest = frame[:-_DIGEST], frame[-_DIGEST:]
        if self._next(content, last) != digest:
            raise Damaged
        return content

    def _next(self, content: bytes, last: bool) -> bytes:
        self._before = hashlib.sha256(self._before + bytes([last]) + content).digest()
        return self._before


def key(text: str) -> bytes | None:
    """Return the site's key for archives from its setting (hex), None where there is none.

    Raises ValueError for what is not 32 bytes.

    >>> key("00" * 32) == bytes(32), key("")
    (True, None)
    """
    if not text:
        return None
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise ValueError(
            f"FHIR_HUB_BACKUP_KEY is not {KEY_BYTES} bytes in hex ({2 * KEY_BYTES} digits)"
        )
    return found
