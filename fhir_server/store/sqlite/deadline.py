"""Limits on how long statements of a connection may run."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from fhir_server.errors import Busy, TooCostly
from fhir_server.store.sqlite.connection import Connection

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
    """What ran took longer than it should here; another way is left."""


class Limit:
    """What statements of a connection may take while `limited` holds.

    A look at the clock comes every 5,000 steps; `looks` is how many there may be in all.
    """

    def __init__(self, connection: Connection, end: float, looks: float = inf) -> None:
        """Take the end on the monotonic clock."""
        self._connection = connection
        self._end = end
        self._looks = looks
        self._left = inf
        self.looked = 0
        """How often there was a look."""

    @contextmanager
    def patience(self, looks: int) -> Iterator[None]:
        """Give the statements inside so many times 5,000 steps. Raises OutOfPatience beyond."""
        if looks <= 0:
            raise OutOfPatience
        self._left = looks
        try:
            yield
        except sqlite3.OperationalError as fault:
            if _interrupted(fault) and self._left <= 0 and not self.hurried:
                self._connection.interrupted()
                raise OutOfPatience from None
            raise
        finally:
            self._left = inf

    @property
    def is_brief(self) -> bool:
        """Tell whether what runs is to be given up soon, so that others are not kept waiting."""
        return self._looks != inf

    @property
    def hurried(self) -> bool:
        """Tell whether all looks are used up."""
        return self._looks <= 0

    def look(self) -> bool:
        """Return whether to stop; SQLite asks now and then."""
        self.looked += 1
        self._looks -= 1
        self._left -= 1
        return self._looks <= 0 or self._left <= 0 or time.monotonic() > self._end


@contextmanager
def limited(connection: Connection, seconds: float, looks: float = inf) -> Iterator[Limit]:
    """Interrupt the statements run inside after `seconds`, or after so many times 5,000 steps.

    Raises TooCostly or OutOfPatience then, and Busy where the file cannot be read now.
    """
    limit = Limit(connection, time.monotonic() + seconds, looks)
    connection.set_progress_handler(limit.look, _STEPS)
    try:
        yield limit
    except sqlite3.OperationalError as fault:
        if not _interrupted(fault):
            raise busy("read", fault) from None
        connection.interrupted()
        if limit.hurried:
            raise OutOfPatience from None
        raise TooCostly("The query takes too long; ask for less") from None
    finally:
        connection.set_progress_handler(None, 0)


def _interrupted(fault: sqlite3.OperationalError) -> bool:
    return fault.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
