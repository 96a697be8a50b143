"""What goes wrong with the database, as the hub's errors.

1. What passes by itself (an election, a cut network, a full disk) is Busy: nobody was told that
   anything was written, and the client may try again.
2. A query past its time is TooCostly.
3. Everything else is a fault of the program and stays what it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from fhir_server.errors import Busy, TooCostly

_PASSING = frozenset({
    6, 7, 89,  # host unreachable, not found, network timeout
    24, 112, 251,  # lock timeout, write conflict, no such transaction
    64, 100,  # write concern not satisfied (yet)
    91, 189, 10107, 11600, 11602, 13435, 13436,  # shutting down, stepping down, not primary
    133, 134,  # no primary found, read concern majority not available yet
    225, 244, 246, 262,  # transaction too old or aborted, snapshot unavailable, time limit
    239, 14031,  # snapshot too old, disk full
})  # fmt: skip
_DUPLICATE = 11000
TOO_LATE = "The query takes too long; ask for less"


def is_passing(fault: PyMongoError) -> bool:
    """Tell whether the same may go well if it is tried again.

    A duplicate key is a lost race: keys are looked up in the same transaction that inserts them.
    """
    if isinstance(fault, ConnectionFailure | DuplicateKeyError | WriteConcernError):
        return True
    if fault.has_error_label("TransientTransactionError") or isinstance(fault, ExecutionTimeout):
        return True
    return isinstance(fault, OperationFailure) and _codes(fault) <= _PASSING


def is_taken(fault: PyMongoError) -> bool:
    """Tell whether something that was to be inserted was there already."""
    return isinstance(fault, OperationFailure) and _codes(fault) == {_DUPLICATE}


def _codes(fault: OperationFailure) -> set[int | None]:
    """Return the code of a command, or those of all writes of a bulk."""
    details = fault.details or {}
    errors = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    return {error.get("code") for error in errors} or {fault.code}


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise Busy and TooCostly for what passes. `what` is what the store cannot do now."""
    try:
        yield
    except ExecutionTimeout:
        raise TooCostly(TOO_LATE) from None
    except PyMongoError as fault:
        if is_passing(fault):
            raise Busy(f"The store cannot {what} now: {type(fault).__name__}") from None
        raise
