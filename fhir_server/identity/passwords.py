"""Passwords as argon2id hashes, computed on threads and few at a time.

https://www.rfc-editor.org/rfc/rfc9106
"""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes and verifies; each takes some 64 MiB and a third of a second, so few run at once."""

    def __init__(self, at_once: int = 2, hasher: PasswordHasher | None = None) -> None:
        """Take how many may run at the same time; `hasher` has RFC 9106's parameters by default."""
        self._free = asyncio.Semaphore(at_once)
        self._hasher = hasher or PasswordHasher()
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """Return the hash of a password, its salt and parameters included."""
        async with self._free:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, hash: str, password: str) -> bool:
        """Say whether the password is the hash's; without a hash it takes as long to say no."""
        if not self._nobody:
            self._nobody = await self.hash("nobody")
        async with self._free:
            right = await asyncio.to_thread(self._verify, hash or self._nobody, password)
        return right and bool(hash)

    def _verify(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False
