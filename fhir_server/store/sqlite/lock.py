"""One writer at a time on a store's file, among all processes of the machine."""

import fcntl
import os
import time
from types import TracebackType

_PAUSE = 0.0005


class FileLock:
    """A lock on `PATH-lock`; the kernel lets go of it when its holder dies.

    Two files make it fair: whoever waits for the lock holds the turn, so that one who gives the
    lock back and wants it again queues behind. Who waits looks again every half millisecond, since
    a holder that hangs must not hang the others: after `seconds` they get a TimeoutError.
    """

    def __init__(self, path: str, seconds: float) -> None:
        """Open the lock files beside the store's file."""
        self._seconds = seconds
        self._turn = _open(f"{path}-turn")
        self._lock = _open(f"{path}-lock")

    def __enter__(self) -> None:
        """Wait for the lock. Raises TimeoutError."""
        end = time.monotonic() + self._seconds
        _take(self._turn, end)
        try:
            _take(self._lock, end)
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


def _take(file: int, end: float) -> None:
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise TimeoutError("another process holds the file") from None
            time.sleep(_PAUSE)
