"""One writer at a time on a store's file, among all processes of the machine."""

import fcntl
import os
from types import TracebackType


class FileLock:
    """A blocking lock on `PATH-lock`; the kernel lets go of it when its holder dies.

    Two files make it fair: whoever waits for the lock holds the turn, so that one who gives the
    lock back and wants it again queues behind.
    """

    def __init__(self, path: str) -> None:
        """Open the lock files beside the store's file."""
        self._turn = _open(f"{path}-turn")
        self._lock = _open(f"{path}-lock")

    def __enter__(self) -> None:
        """Wait for the lock."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files."""
        os.close(self._turn)
        os.close(self._lock)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
