"""Random bytes of the system's generator, asked for some thousands at a time.

A question to the system costs as much as a small query: it gives the interpreter's lock away.
https://man7.org/linux/man-pages/man2/getrandom.2.html
"""

import os
from threading import Lock

_AT_ONCE = 4096


class RandomBytes:
    """Bytes that are handed out once: to one thread, of one process."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._lock = Lock()
        self._held, self._used = b"", 0
        os.register_at_fork(after_in_child=self._forget)

    def hex(self, size: int) -> str:
        """Return so many bytes, at most 4,096, in hexadecimal."""
        with self._lock:
            if self._used + size > len(self._held):
                self._held, self._used = os.urandom(_AT_ONCE), 0
            start, self._used = self._used, self._used + size
            return self._held[start : start + size].hex()

    def _forget(self) -> None:
        self._held, self._used = b"", 0


random_hex = RandomBytes().hex
"""Of this process."""
