"""What every store does, and nothing more: no capability flags, no back-end names above it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from fhir_server.model import Change, History, Key, Line, Page, Query, Version, Write
from fhir_server.store.explanation import Explanation, Total


class Store(Protocol):
    """Records, read and searched and committed."""

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        """Return the latest version (a tombstone has `body=None`) or version `vid`.

        `None` says that it was never written.
        """

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the number of each record's latest version (of a tombstone too), 0 for none."""

    async def search(self, query: Query) -> Page:
        """Return a page of latest, living versions. Raises `TooCostly` past the time limit."""

    async def count(self, query: Query) -> int:
        """Return how many living records match, whatever `limit` and `after` say."""

    async def estimate(self, query: Query) -> Total:
        """Return about how many living records match: cheaper than `count` where they are many."""

    async def explain(self, query: Query) -> Explanation:
        """Find a page and the count, and tell how. Raises `TooCostly` past the time limit."""

    async def types(self) -> frozenset[str]:
        """Return the types of which a living record is there, the hub's own among them."""

    async def history(self, history: History) -> list[Version]:
        """Return versions, tombstones included. Raises `TooCostly` past the time limit.

        Only types of FHIR (capitalised) have a history by type.
        """

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Write all or nothing, durably, and return the new versions in the order of `writes`.

        Preconditions are decided inside. Raises `PreconditionFailed` (an `expect` is not met; its
        `key` tells which), `AlreadyMatched` (an `unless` found something), `Outdated` (an `under`
        does not hold any more), `Busy` (try again later; nothing was written).
        A key may occur only once in a commit.
        """

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the change feed after sequence number `after`, in order, without gaps to come."""

    async def close(self) -> None:
        """Finish the commits that wait, then let go of everything."""


@dataclass(frozen=True, slots=True)
class Stats:
    """How many living records of each type a store holds, and its size in bytes."""

    records: dict[str, int]
    size: int


class Maintenance(Protocol):
    """The operator's side of a store."""

    async def check(self) -> list[str]:
        """Return every inconsistency found, in plain words; an empty list: the store is sound."""

    async def stats(self) -> Stats:
        """Return counts and size."""

    def scan(self, type: str | None = None, after: str = "") -> AsyncIterator[Version]:
        """Yield all latest, living versions, of one type or of all, in a constant order.

        With `after`, an id of the type, only those behind it.
        """

    async def reindex(self, writes: Sequence[Write]) -> int:
        """Find records by other entries, authorization and patients; their versions stay.

        A write whose `expect` is not the latest version, or is a tombstone, is passed over. Returns
        how many were not. Raises `Outdated` as `Store.commit` does, and `Busy`.
        """

    def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield all versions behind a sequence number in the order of the change feed.

        It ends where there is no later one, and holds what the store is at that moment: others may
        write meanwhile.
        """

    async def filled(self) -> None:
        """Let a store that was opened to be filled be opened as any other."""
