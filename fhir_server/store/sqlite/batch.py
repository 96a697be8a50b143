"""Commits applied inside one transaction: decided one after the other, written together."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import count
from typing import Any

from fhir_server.model import DEFINITIONS, NO_TEXT, Entry, Query, Version, Write
from fhir_server.store import order, precondition
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.insert import insert, select
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.numbering import Numbering
from fhir_server.store.sqlite.text import Texts

_FIND = "SELECT ref, rid, vid, updated, deleted, patient, seq FROM record WHERE ref IN ({})"
_ENTRIES = "SELECT rid, n, param, v, w, u, grp, path, patient FROM entry WHERE rid IN ({})"
_UPSERT = (
    "ON CONFLICT(rid) DO UPDATE SET seq = excluded.seq, vid = excluded.vid, "
    "updated = excluded.updated, patient = excluded.patient, deleted = excluded.deleted"
)

_AUTHORIZED = (
    "UPDATE version SET patients = ?, auth = ? WHERE seq = ? AND (patients, auth) IS NOT (?, ?)"
)
_SET = f"{DEFINITIONS.type}/{DEFINITIONS.id}"

_Row = tuple[Any, ...]


@dataclass(slots=True)
class _Latest:
    """The latest version of a record; `kept` says that its entries are already in the table."""

    rid: int
    vid: int
    updated: int
    living: bool
    patient: int
    seq: int
    kept: bool = True


class Batch:
    """The commits of one transaction. `exists` decides an `unless` on what is written so far."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        names: Names,
        now: int,
        exists: Callable[[Query], bool],
    ) -> None:
        """Begin; the connection is in a transaction that excludes other writers."""
        self._connection = connection
        self._numbers = Numbering(connection, names)
        self._now = now
        self._exists = exists
        last = connection.execute(
            "SELECT (SELECT max(seq) FROM version), (SELECT max(rid) FROM record)"
        ).fetchone()
        self._seq, self._rid = count((last[0] or 0) + 1), count((last[1] or 0) + 1)
        self._latest: dict[str, _Latest | None] = {}
        self._versions: list[_Row] = []
        self._past: list[_Row] = []
        self._records: dict[int, _Row] = {}
        self._entries: dict[int, tuple[_Latest, list[_Row], Sequence[int]]] = {}
        self._texts = Texts(connection)

    def load(self, commits: Sequence[Sequence[Write]]) -> None:
        """Look up the latest versions of everything that these commits write, all at once."""
        named = (f"{write.key.type}/{write.key.id}" for some in commits for write in some)
        refs = [ref for ref in (_SET, *named) if ref not in self._latest]
        self._latest.update(dict.fromkeys(refs))
        for ref, rid, vid, updated, deleted, patient, seq in select(self._connection, _FIND, refs):
            self._latest[ref] = _Latest(rid, vid, updated, not deleted, patient, seq)

    def apply(self, writes: Sequence[Write]) -> list[Version]:
        """Decide one commit and queue its rows; one that a precondition refuses leaves no trace."""
        for write in writes:
            precondition.indexed_by(write, self._defined())
            last = self._latest[f"{write.key.type}/{write.key.id}"]
            precondition.expected(write, last.vid if last else 0, last is not None and last.living)
            if write.unless is not None:
                self.flush()
                precondition.unmatched(write, self._exists(write.unless))
        return [self._write(write) for write in writes]

    def reindex(self, writes: Sequence[Write]) -> list[Version]:
        """Queue other entries of records whose versions stay, and return those that are."""
        for write in writes:
            precondition.indexed_by(write, self._defined())
        return [found for write in writes if (found := self._reindex(write))]

    def flush(self) -> None:
        """Write the queued rows."""
        self._numbers.write()
        insert(self._connection, "version", self._versions)
        insert(self._connection, "past", self._past)
        insert(self._connection, "record", list(self._records.values()), _UPSERT)
        self._texts.flush()
        self._flush_entries()
        self._versions, self._past, self._records, self._entries = [], [], {}, {}

    def publish(self) -> None:
        """Let the whole process know the new names; the transaction is committed."""
        self._numbers.publish()

    def _write(self, write: Write) -> Version:
        ref, living = f"{write.key.type}/{write.key.id}", write.body is not None
        last = self._latest[ref]
        if last is None:
            last = _Latest(next(self._rid), 0, -1, False, order.NOBODY, 0, kept=False)
            self._latest[ref] = last
        pids = {self._numbers.patient(id) for id in write.patients}
        last.vid += 1
        last.updated = max(self._now if write.at is None else write.at, last.updated + 1)
        last.living = living
        seq, patient = next(self._seq), order.several(pids)
        last.seq = seq
        kind = self._numbers.param(write.key.type, "")
        self._records[last.rid] = (
            last.rid, ref, kind, seq, last.vid, last.updated, patient, int(not living),
        )  # fmt: skip
        self._versions.append((
            seq, last.rid, last.vid, last.updated, write.method, " ".join(write.patients),
            rows.pack(write.auth), write.body,
        ))  # fmt: skip
        if write.key.type[0].isupper():
            self._past.append((kind, last.updated, seq))
        self._index(write, last, pids, kept=last.vid > 1)
        return _version(write, last)

    def _reindex(self, write: Write) -> Version | None:
        last = self._latest[f"{write.key.type}/{write.key.id}"]
        if last is None or last.vid != write.expect or not last.living:
            return None
        pids = {self._numbers.patient(id) for id in write.patients}
        told = " ".join(write.patients), rows.pack(write.auth)
        self._connection.execute(_AUTHORIZED, (*told, last.seq, *told))
        self._connection.execute(
            "UPDATE record SET patient = ? WHERE rid = ?", (order.several(pids), last.rid)
        )
        self._index(write, last, pids, kept=True)
        return _version(write, last)

    def _index(self, write: Write, last: _Latest, pids: Set[int], *, kept: bool) -> None:
        """Queue what a record is found by; `kept` says that something may be there already."""
        patient = order.several(pids)
        kind = self._numbers.param(write.key.type, "")
        self._texts.put(kind, last.rid, write.text if last.living else NO_TEXT, kept=kept)
        self._entries[last.rid] = (
            last,
            self._rows(write.key.type, write.entries) if last.living else [],
            tuple(pids) if last.living and patient == order.SEVERAL else (),
        )
        last.patient = patient

    def _defined(self) -> int:
        found = self._latest[_SET]
        return found.vid if found else 0

    def _rows(self, type: str, entries: Sequence[Entry]) -> list[_Row]:
        param = self._numbers.param
        return [
            (param(type, f"#{e.param}" if e.path else e.param), e.v, e.w, e.u, e.group, e.path)
            for e in entries
        ]

    def _flush_entries(self) -> None:
        old = self._old([last.rid for last, _, _ in self._entries.values() if last.kept])
        added: list[_Row] = []
        several: list[_Row] = []
        for rid, (last, wanted, pids) in self._entries.items():
            if not last.kept:
                added += [(rid, row[0], n, *row[1:], last.patient) for n, row in enumerate(wanted)]
            else:
                added += self._exchange(rid, last.patient, old.get(rid, []), wanted)
                self._connection.execute("DELETE FROM several WHERE rid = ?", (rid,))
            several += ((rid, pid) for pid in pids)
            last.kept = True
        insert(self._connection, "entry", added)
        insert(self._connection, "several", several)

    def _old(self, rids: Sequence[int]) -> dict[int, list[_Row]]:
        old: dict[int, list[_Row]] = defaultdict(list)
        for row in select(self._connection, _ENTRIES, rids):
            old[row[0]].append(row[1:])
        return old

    def _exchange(
        self, rid: int, patient: int, old: Sequence[_Row], wanted: Sequence[_Row]
    ) -> list[_Row]:
        """Delete the old rows that are not wanted, and return those wanted that are not there."""
        there: dict[_Row, list[int]] = defaultdict(list)
        for found in old:
            if found[-1] == patient:
                there[found[1:-1]].append(found[0])
        missing: list[_Row] = []
        kept: set[int] = set()
        for row in wanted:
            if there.get(row):
                kept.add(there[row].pop())
            else:
                missing.append(row)
        self._delete(rid, [(rid, param, n) for n, param, *_ in old if n not in kept], not kept)
        start = 1 + max((n for n, *_ in old), default=-1)
        return [(rid, row[0], n, *row[1:], patient) for n, row in enumerate(missing, start)]

    def _delete(self, rid: int, gone: Sequence[_Row], everything: bool) -> None:
        if everything:
            self._connection.execute("DELETE FROM entry WHERE rid = ?", (rid,))
        elif gone:
            sql = "DELETE FROM entry WHERE rid = ? AND param = ? AND n = ?"
            self._connection.executemany(sql, gone)


def _version(write: Write, last: _Latest) -> Version:
    return Version(
        write.key, last.vid, last.updated, write.body, write.method, write.auth, write.patients
    )
