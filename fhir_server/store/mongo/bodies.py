"""Bodies: in their document up to a bound, beyond it in chunks that are named by their content.

A document holds 16 MB at most. A chunk is written once, however many versions hold it, and never
changed or deleted.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

INLINE = 256 * 1024
CHUNK = 1024 * 1024

Chunks = dict[bytes, bytes]


def stored(body: bytes | None) -> tuple[dict[str, Any], Chunks]:
    """Return the fields that keep a body, and the chunks that they name."""
    if body is None:
        return {}, {}
    if len(body) <= INLINE:
        return {"body": body}, {}
    pieces = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
    names = [hashlib.sha256(piece).digest() for piece in pieces]
    return {"chunks": names}, dict(zip(names, pieces, strict=True))


class Bodies:
    """The collection of chunks."""

    def __init__(self, chunks: AsyncCollection[dict[str, Any]]) -> None:
        """Take the collection."""
        self._chunks = chunks

    async def read(
        self, docs: Sequence[Mapping[str, Any]], session: AsyncClientSession | None = None
    ) -> list[bytes | None]:
        """Return the bodies of documents; None for a tombstone's."""
        names = {name for doc in docs for name in doc.get("chunks", ())}
        found: Chunks = {}
        if names:
            cursor = self._chunks.find({"_id": {"$in": list(names)}}, session=session)
            found = {doc["_id"]: doc["data"] async for doc in cursor}
        return [_joined(doc, found) for doc in docs]

    async def there(
        self, names: Iterable[bytes], session: AsyncClientSession | None = None
    ) -> set[bytes]:
        """Return those of some chunks that are there."""
        wanted = list(names)
        if not wanted:
            return set()
        cursor = self._chunks.find({"_id": {"$in": wanted}}, {"_id": 1}, session=session)
        return {doc["_id"] async for doc in cursor}

    async def write(self, chunks: Chunks, session: AsyncClientSession) -> None:
        """Insert the chunks that are not there yet."""
        there = await self.there(chunks, session)
        new = [{"_id": name, "data": data} for name, data in chunks.items() if name not in there]
        for some in _tens(new):
            await self._chunks.insert_many(some, session=session)


def _joined(doc: Mapping[str, Any], chunks: Chunks) -> bytes | None:
    if "chunks" in doc:
        return b"".join(chunks[name] for name in doc["chunks"])
    body: bytes | None = doc.get("body")
    return body


def _tens(docs: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Some megabytes at a time: a message holds 48."""
    return (docs[start : start + 10] for start in range(0, len(docs), 10))
