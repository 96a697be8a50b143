"""What a commit may demand of the versions that are there, decided the same way by every store."""

from collections.abc import Sequence

from fhir_server.errors import AlreadyMatched, Outdated, PreconditionFailed
from fhir_server.model import Write


def once(writes: Sequence[Write]) -> None:
    """Refuse, as the programmer's error, a commit that writes one key twice."""
    if len({write.key for write in writes}) != len(writes):
        raise ValueError("a commit writes one key twice")


def expected(write: Write, vid: int, living: bool) -> None:
    """Raise PreconditionFailed unless `vid`, the latest (0: none), is what `write` expects."""
    if write.expect is None or write.expect == vid or (write.expect == 0 and not living):
        return
    found = f"its version is {vid}" if living else "it does not exist"
    wanted = f"version {write.expect}" if write.expect else "no such record"
    raise PreconditionFailed(f"{write.key}: {wanted} was expected, {found}", key=write.key)


def unmatched(write: Write, found: bool) -> None:
    """Raise AlreadyMatched if a record was `found` that `write` must not meet."""
    if found:
        raise AlreadyMatched(f"A {write.key.type} that matches came meanwhile", key=write.key)


def indexed_by(write: Write, vid: int) -> None:
    """Raise Outdated unless `vid`, the latest of `DEFINITIONS`, is what `write` was indexed by."""
    if write.under is not None and write.under != vid:
        raise Outdated(f"{write.key}: the search parameters have just changed")
