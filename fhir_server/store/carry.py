"""Versions carried from a store or an archive to another store; nothing about them changes.

1. They come in the order of the change feed, and each becomes the target's next line. So a target
   holds a beginning of the source, and a carry that was killed goes on behind it.
2. Index entries are carried, not computed anew: those of the hub's own records have no extractor,
   and what a setting changed meanwhile must not change what a record is found by.
3. In the end both are read side by side and compared, all of it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import msgspec

from fhir_server.model import Entry, Key, Line, Write
from fhir_server.store.protocol import Store

_WRITES = 200
_BYTES = 8 * 1024 * 1024

_encode = msgspec.msgpack.Encoder().encode


class Source(Protocol):
    """What versions come from: a store or an archive."""

    def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield all versions behind a sequence number in the order of the change feed."""


class Sum:
    """How many versions and records of each type there are, and a hash of all that versions say."""

    def __init__(self) -> None:
        """Begin with none."""
        self.versions: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.last = 0
        self._hash = hashlib.sha256()

    def add(self, line: Line) -> None:
        """Count one more."""
        self.last = line.seq
        version = line.version
        self.versions[version.key.type] += 1
        self.records[version.key.type] += version.vid == 1
        # One by one: the hash in an archive must hold though a Version may get more fields.
        said = (version.vid, version.updated, version.method, version.patients, version.auth)
        self._hash.update(_encode((line.seq, version.key, *said, version.body)))

    @property
    def sha256(self) -> str:
        """The hash, in hex."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found: what both hold, and how far the source has gone on meanwhile:
    by so many versions that the target lacks, and so many that another one replaced."""

    sum: Sum
    lacking: int
    replaced: int

    @property
    def is_same(self) -> bool:
        """Tell whether nothing came meanwhile."""
        return not self.lacking and not self.replaced


async def begun(source: Source, target: Store) -> int:
    """Return the sequence number up to which a target was filled from this source before.

    Raises ValueError where its last line is not the source's.
    """
    last = None
    while changes := await target.changes(last.seq if last else 0, 10_000):
        last = changes[-1]
    if last is None:
        return 0
    async with aclosing(_iterate(source, last.seq - 1)) as lines:
        line = await anext(lines, None)
    if line is None or (line.seq, line.version.key, line.version.vid) != (
        last.seq,
        last.key,
        last.vid,
    ):
        raise ValueError("what the target holds is not a beginning of the source")
    return last.seq


async def fill(target: Store, lines: AsyncIterator[Line]) -> None:
    """Commit lines to a target that ends where they begin. Raises ValueError if it does not."""
    waiting: list[Line] = []
    keys: set[Key] = set()
    size = 0
    async for line in lines:
        if len(waiting) >= _WRITES or size > _BYTES or line.version.key in keys:
            await _commit(target, waiting)
            waiting, keys, size = [], set(), 0
        waiting.append(line)
        keys.add(line.version.key)
        size += len(line.version.body or b"")
    await _commit(target, waiting)


async def compare(source: Source, target: Source) -> Compared:
    """Compare two from their beginnings. Raises ValueError in words where they differ."""
    found = Sum()
    lacking = replaced = 0
    async with aclosing(_iterate(target, 0)) as kept:
        async for line in source.export():
            other = await anext(kept, None)
            if other is None:
                lacking += 1
                continue
            replaced += _difference(line, other)
            found.add(other)
        if (more := await anext(kept, None)) is not None:
            raise ValueError(f"the target holds a version that the source lacks: {_name(more)}")
    return Compared(found, lacking, replaced)


async def _iterate(source: Source, after: int) -> AsyncGenerator[Line, None]:
    async for line in source.export(after):
        yield line


async def _commit(target: Store, lines: Sequence[Line]) -> None:
    made = await target.commit([_write(line) for line in lines])
    for line, version in zip(lines, made, strict=True):
        if version != line.version:
            raise ValueError(f"the target is not as the source was before: {_name(line)}")


def _write(line: Line) -> Write:
    version = line.version
    return Write(
        version.key,
        version.body,
        line.entries or (),
        version.auth,
        version.patients,
        version.method,
        expect=version.vid - 1,  # another process that fills the same target is told, and ends
        text=line.text,
        at=version.updated,
    )


def _difference(line: Line, other: Line) -> bool:
    """Return whether the source's version was replaced meanwhile. Raises ValueError if they are
    not the same."""
    if (line.seq, line.version) != (other.seq, other.version):
        raise ValueError(f"source and target differ: {_name(line)}, {_name(other)}")
    if line.entries is None or other.entries is None:
        return line.entries is not other.entries
    if _unordered(line.entries) != _unordered(other.entries) or line.text != other.text:
        raise ValueError(f"source and target find by other index entries: {_name(line)}")
    return False


def _unordered(entries: Sequence[Entry]) -> object:
    """Return entries without their order, and groups without their numbers."""
    groups: dict[tuple[str, int, str], Counter[Entry]] = defaultdict(Counter)
    plain: Counter[Entry] = Counter()
    for entry in entries:
        whole, dot, _ = entry.param.rpartition(".")
        kind = groups[whole, entry.group, entry.path] if dot else plain
        kind[entry._replace(group=0)] += 1
    return plain, Counter((name[0], frozenset(parts.items())) for name, parts in groups.items())


def _name(line: Line) -> str:
    return f"{line.version.key} version {line.version.vid} (line {line.seq})"
