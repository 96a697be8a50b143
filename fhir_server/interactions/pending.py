"""What a transaction is about to write lies over what the store has.

Preparing an entry reads through it, so that one entry may refer to another; two writes of one
record (an entry's and a rule's) become one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhir_server.model import Change, History, Key, Page, Query, Version, Write
from fhir_server.store.explanation import Explanation, Total
from fhir_server.store.protocol import Store


class Pending:
    """A store whose commits are only gathered; `writes` are those for the one real commit.

    It finds by `read` alone what was not committed: a search sees the store as it is.
    """

    def __init__(self, store: Store, now: int) -> None:
        """Lie over `store`; `now` (milliseconds) is when what is pending will have been written."""
        self._store = store
        self._now = now
        self._writes: dict[Key, Write] = {}
        self._versions: dict[Key, Version] = {}

    @property
    def writes(self) -> list[Write]:
        """Return what was gathered, one write a record."""
        return list(self._writes.values())

    async def add(self, writes: Iterable[Write]) -> None:
        """Gather writes; a later one of the same record keeps the first one's preconditions."""
        for write in writes:
            before = None if write.method == "POST" else await self._store.read(write.key)
            self._writes[write.key] = made = _over(self._writes.get(write.key), write)
            self._versions[write.key] = version_of(made, before, self._now)

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        """Return what is pending, or else what the store has."""
        if vid is None and key in self._versions:
            return self._versions[key]
        return await self._store.read(key, vid)

    async def vids(self, keys: Sequence[Key]) -> tuple[int, ...]:
        """Return the store's version numbers."""
        return await self._store.vids(keys)

    async def search(self, query: Query) -> Page:
        """Search the store."""
        return await self._store.search(query)

    async def count(self, query: Query) -> int:
        """Count in the store."""
        return await self._store.count(query)

    async def estimate(self, query: Query) -> Total:
        """Estimate in the store."""
        return await self._store.estimate(query)

    async def explain(self, query: Query) -> Explanation:
        """Tell how the store would go on."""
        return await self._store.explain(query)

    async def types(self) -> frozenset[str]:
        """Return the types in the store."""
        return await self._store.types()

    async def history(self, history: History) -> list[Version]:
        """Return the store's versions."""
        return await self._store.history(history)

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Gather; nothing is written."""
        await self.add(writes)
        return [self._versions[write.key] for write in writes]

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the store's changes."""
        return await self._store.changes(after, limit)

    async def close(self) -> None:
        """Do nothing: the store is not this one's to close."""


def merged(writes: Iterable[Write]) -> list[Write]:
    """Return one write a record: the last one's content under the first one's preconditions."""
    kept: dict[Key, Write] = {}
    for write in writes:
        kept[write.key] = _over(kept.get(write.key), write)
    return list(kept.values())


def _over(earlier: Write | None, write: Write) -> Write:
    if earlier is None:
        return write
    return replace(write, expect=earlier.expect, unless=earlier.unless, method=earlier.method)


def version_of(write: Write, before: Version | None, now: int) -> Version:
    """Return the version that a write will become, as far as it can be told beforehand."""
    return Version(
        key=write.key,
        vid=before.vid + 1 if before else 1,
        updated=max(now, before.updated + 1) if before else now,
        body=write.body,
        method=write.method,
        auth=write.auth,
        patients=write.patients,
    )
