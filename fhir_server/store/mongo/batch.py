"""Commits applied inside one transaction: decided one after the other, written together."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bson import encode
from bson.errors import InvalidDocument, InvalidStringData
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.errors import TooLarge, Unprocessable
from fhir_server.model import DEFINITIONS, Query, Version, Write
from fhir_server.store import order, precondition
from fhir_server.store.mongo import bodies, documents, stamps
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.sorting import MAIN
from fhir_server.store.mongo.tables import Tables
from fhir_server.store.mongo.ticks import Ticks

_SET = str(DEFINITIONS)
_OPTIONAL = ("c", "lo", "hi", "auth", "who", "words", "text")
_LARGEST = 15 * 1024 * 1024
_LATEST = {"e": 0, "c": 0, "lo": 0, "hi": 0, "words": 0, "text": 0}


@dataclass(slots=True)
class _Latest:
    """The latest version of a record; `kept` says that the collection has a document of it."""

    doc: Doc
    living: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """What one write becomes."""

    write: Write
    version: Version
    doc: Doc
    raw: bytes
    chunks: bodies.Chunks


class Batch:
    """The commits of one transaction. `exists` decides an `unless` on what is written so far."""

    def __init__(
        self,
        tables: Tables,
        session: AsyncClientSession,
        ticks: Ticks,
        now: int,
        exists: Callable[[Query], Awaitable[bool]],
        stripe: int,
    ) -> None:
        """Begin; the session is in a transaction. `stripe` is the process's number."""
        self._tables = tables
        self._session = session
        self._ticks = ticks
        self._now = now
        self._exists = exists
        self._stripe = stripe
        self._latest: dict[str, _Latest] = {}
        self._numbers: dict[str, int] = {}
        self._versions: list[Doc] = []
        self._records: dict[str, bytes] = {}
        self._chunks: bodies.Chunks = {}
        self._new: list[Doc] = []
        self._stamps: set[str] = set()
        self.patients: dict[str, int] = {}
        self.written: list[list[Any]] = []
        self.reindexed = False

    async def load(self, commits: Sequence[Sequence[Write]], *, trusting: bool = False) -> None:
        """Look up the latest versions of all records and the numbers of all patients at once.

        Where it is `trusting`, records that are all expected to be new, as those of the audit
        trail are, are not looked for: the database refuses one that is not.
        """
        writes = [write for commit in commits for write in commit]
        if trusting and all(write.expect == 0 and write.under is None for write in writes):
            self._stamp_new(writes)
        else:
            await self._load(writes)
        ids = {patient for write in writes for patient in write.patients}
        self._numbers = await self._tables.names.numbers(ids, self._session)

    async def _load(self, writes: Sequence[Write]) -> None:
        refs = list({_SET, *(str(write.key) for write in writes)})
        cursor = self._tables.records.find({"_id": {"$in": refs}}, _LATEST, session=self._session)
        async for doc in cursor:
            self._ticks.met(doc["tick"])
            self._latest[doc["_id"]] = _Latest(doc, "t" in doc, kept=True)
        self._stamp_new(writes)
        await self._stamp_old(writes)

    def _stamp_new(self, writes: Sequence[Write]) -> None:
        """Note the stamps of what is written."""
        for write in writes:
            self._stamps |= stamps.named(write.key.type, write.entries)

    async def _stamp_old(self, writes: Sequence[Write]) -> None:
        """Note the stamps of what is replaced."""
        refs = {str(write.key) for write in writes if write.key.type in stamps.STAMPED}
        replaced = [ref for ref in refs if ref in self._latest]
        if replaced:
            where = {"_id": {"$in": replaced}, "t": {"$ne": None}}
            cursor = self._tables.records.find(where, {"t": 1, "e": 1}, session=self._session)
            async for doc in cursor:
                self._stamps |= stamps.named(doc["t"], documents.entries(doc))

    async def apply(self, writes: Sequence[Write]) -> list[Version]:
        """Decide one commit and queue its documents; one that is refused leaves no trace."""
        for write in writes:
            precondition.indexed_by(write, self._defined())
            last = self._latest.get(str(write.key))
            precondition.expected(write, last.doc["vid"] if last else 0, bool(last and last.living))
            if write.unless is not None:
                await self.flush()
                precondition.unmatched(write, await self._exists(write.unless))
        new: dict[str, int] = {}
        made = [self._make(write, new) for write in writes]
        for each in made:
            self._queue(each)
        self._new += ({"_id": id, "n": number} for id, number in new.items())
        self.patients |= new
        return [each.version for each in made]

    async def reindex(self, writes: Sequence[Write]) -> list[Version]:
        """Write other entries of records whose versions stay, and return those that are."""
        for write in writes:
            precondition.indexed_by(write, self._defined())
        await self.flush()
        found: list[Version] = []
        updates: list[UpdateOne] = []
        new: dict[str, int] = {}
        for write in writes:
            last = self._latest.get(str(write.key))
            if last is not None and last.living and last.doc["vid"] == write.expect:
                numbers = [self._number(id, new) for id in write.patients]
                updates.append(UpdateOne({"_id": last.doc["_id"]}, _other_entries(write, numbers)))
                kept = {n: v for n, v in last.doc.items() if n not in ("auth", "who")}
                last.doc = kept | documents.authorized(write) | {"pid": order.several(set(numbers))}
                vid, at = last.doc["vid"], last.doc["at"]
                found.append(Version(write.key, vid, at, write.body, write.method))
        self._new += ({"_id": id, "n": number} for id, number in new.items())
        self.patients |= new
        await self.flush()
        if updates:
            await self._tables.records.bulk_write(updates, ordered=False, session=self._session)
            self.reindexed = True
        return found

    async def flush(self) -> None:
        """Write the queued documents."""
        if self._new:
            await self._tables.patients.insert_many(self._new, session=self._session)
        if self._chunks:
            await self._tables.bodies.write(self._chunks, self._session)
        if self._versions:
            await self._tables.versions.insert_many(self._versions, session=self._session)
        if self._records:
            changes = [self._change(ref, raw) for ref, raw in self._records.items()]
            await self._tables.records.bulk_write(changes, ordered=False, session=self._session)
        if self._stamps:
            left = stamps.left(self._stamps, self._stripe, self._ticks.next())
            await self._tables.stamps.bulk_write(left, ordered=False, session=self._session)
            self._stamps = set()
        self._versions, self._records, self._chunks, self._new = [], {}, {}, []

    async def finish(self, tick: int) -> None:
        """Write what is left, and the line of the change feed."""
        await self.flush()
        line = {"_id": tick, "k": self.written, "z": None}
        await self._tables.commits.insert_one(line, session=self._session)

    def _defined(self) -> int:
        found = self._latest.get(_SET)
        return int(found.doc["vid"]) if found else 0

    def _change(self, ref: str, raw: bytes) -> InsertOne[Any] | ReplaceOne[Any]:
        last = self._latest[ref]
        if last.kept:
            return ReplaceOne({"_id": ref}, RawBSONDocument(raw))
        last.kept = True
        return InsertOne(RawBSONDocument(raw))

    def _make(self, write: Write, new: dict[str, int]) -> _Made:
        """Return what a write becomes; patients who had no number get one in `new`."""
        last = self._latest.get(str(write.key))
        vid = last.doc["vid"] + 1 if last else 1
        now = self._now if write.at is None else write.at
        at = max(now, last.doc["at"] + 1) if last else now
        numbers = [self._number(id, new) for id in write.patients]
        kept, chunks = bodies.stored(write.body)
        tick = self._ticks.next()
        doc: Doc = {
            "_id": str(write.key),
            "n": last.doc["n"] if last else tick,
            "pid": order.several(set(numbers)),
            "tick": tick,
            "h": write.key.type,
            **documents.versioned(write, vid, at),
            **kept,
        }
        found: Doc = {}
        if write.body is not None:
            found = documents.indexed(write, numbers, MAIN.get(write.key.type))
        version = Version(write.key, vid, at, write.body, write.method, write.auth, write.patients)
        return _Made(write, version, doc, _encoded(write, doc | found), chunks)

    def _number(self, patient: str, new: dict[str, int]) -> int:
        number = self._numbers.get(patient) or self.patients.get(patient) or new.get(patient)
        if number is None:
            number = new[patient] = self._ticks.next()
        return number

    def _queue(self, made: _Made) -> None:
        ref = made.doc["_id"]
        last = self._latest.get(ref)
        if last is not None:
            self._versions.append(documents.old(ref, last.doc, made.version.updated))
        kept = last is not None and last.kept
        self._latest[ref] = _Latest(made.doc, made.write.body is not None, kept)
        self._records[ref] = made.raw
        self._chunks.update(made.chunks)
        self.written.append([ref, made.version.vid])


def _other_entries(write: Write, numbers: Sequence[int]) -> Doc:
    """Return the change by which a record is found by other entries."""
    made: Doc = {
        "pid": order.several(set(numbers)),
        **documents.authorized(write),
        **documents.indexed(write, numbers, MAIN.get(write.key.type)),
    }
    gone = {name: "" for name in _OPTIONAL if name not in made}
    return {"$set": made, **({"$unset": gone} if gone else {})}


def _encoded(write: Write, doc: Doc) -> bytes:
    try:
        raw = encode(doc)
    except (OverflowError, UnicodeEncodeError, InvalidDocument, InvalidStringData) as fault:
        raise Unprocessable(f"A value of {write.key} cannot be stored: {fault}") from None
    if len(raw) > _LARGEST:
        raise TooLarge(f"{write.key} has more index entries than the store can keep with it")
    return raw
