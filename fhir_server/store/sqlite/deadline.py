"""Limits on how long statements of a connection may run."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fhir_server.errors import Busy, TooCostly

_STEPS = 5000  # of SQLite's machine between two looks at the clock: about a third of a millisecond
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


def busy(what: str, fault: sqlite3.Error) -> Exception:
    """Return Busy for what may pass (a full disk, a foreign lock), else the fault itself."""
    if getattr(fault, "sqlite_errorcode", 0) & 0xFF in _PASSING:
        return Busy(f"The store cannot {what} now: {fault}")
    return fault


class OutOfPatience(Exception):
    """A plan took longer than it would if it were the right one."""


class Limit:
    """What statements of a connection may take while `limited` holds."""

    def __init__(self, end: float) -> None:
        """Take the end on the monotonic clock."""
        self._end = end
        self._left: int | None = None

    @contextmanager
    def patience(self, looks: int) -> Iterator[None]:
        """Give the statements inside so many times 5,000 steps. Raises OutOfPatience beyond."""
        if looks <= 0:
            raise OutOfPatience
        self._left = looks
        try:
            yield
        except sqlite3.OperationalError as fault:
            if _interrupted(fault) and self._left <= 0:
                raise OutOfPatience from None
            raise
        finally:
            self._left = None

    def look(self) -> bool:
        """Return whether to stop; SQLite asks now and then."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                return True
        return time.monotonic() > self._end


@contextmanager
def limited(connection: sqlite3.Connection, seconds: float) -> Iterator[Limit]:
    """Interrupt the statements run inside after `seconds`.

    Raises TooCostly then, and Busy where the file cannot be read now.
    """
    limit = Limit(time.monotonic() + seconds)
    connection.set_progress_handler(limit.look, _STEPS)
    try:
        yield limit
    except sqlite3.OperationalError as fault:
        if _interrupted(fault):
            raise TooCostly("The query takes too long; ask for less") from None
        raise busy("read", fault) from None
    finally:
        connection.set_progress_handler(None, 0)


def _interrupted(fault: sqlite3.OperationalError) -> bool:
    return fault.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
