"""A limit on how long statements of a connection may run."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fhir_server.errors import Busy, TooCostly

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
_STEPS = 5000  # of SQLite's machine, well under a millisecond


def busy(what: str, fault: sqlite3.Error) -> Exception:
    """Return Busy for what may pass (a full disk, a foreign lock), else the fault itself."""
    if getattr(fault, "sqlite_errorcode", 0) & 0xFF in _PASSING:
        return Busy(f"The store cannot {what} now: {fault}")
    return fault


@contextmanager
def limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt the statements run inside after `seconds`.

    Raises TooCostly then, and Busy where the file cannot be read now.
    """
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise TooCostly("The query takes too long; ask for less") from None
        raise busy("read", fault) from None
    finally:
        connection.set_progress_handler(None, 0)
