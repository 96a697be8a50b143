"""Pages, counts and existence of the records that a query asks for."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from fhir_server.model import Page, Query, Version
from fhir_server.store import order
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience
from fhir_server.store.sqlite.find import find, walk
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.sort import sorted_all, valued, valueless, values
from fhir_server.store.sqlite.statement import Statement

_VERSIONS = (
    f"SELECT r.rid, r.ref, {rows.COLUMNS} FROM json_each(?) j CROSS JOIN record r "
    "CROSS JOIN version v WHERE r.rid = j.value AND v.seq = r.seq"
)


class Tuning(NamedTuple):
    """Where one plan ends and another begins; every value gives the same answers.

    Fewer than `many` records are few. Walking in order until a page is full is given up after
    `patience` times 5,000 of SQLite's steps.
    """

    many: int = 200
    patience: int = 20


@dataclass(frozen=True, slots=True)
class Search:
    """One query on a connection whose transaction holds one moment still.

    A page is first sought by walking through the records in order, which is soon done where many
    match. Where that takes too long, few match, and all of them are found and sorted.
    """

    connection: sqlite3.Connection
    names: Names
    query: Query
    limit: Limit
    tuning: Tuning

    def page(self) -> Page:
        """Return a page."""
        if self.query.limit <= 0:
            return Page(())
        found = self._places()
        places = found[: self.query.limit]
        more = len(found) > len(places)
        last = places[-1] if more else None
        return Page(_versions(self.connection, places), tuple(places), last)

    def count(self) -> int:
        """Return how many records match."""
        s = self._statement()
        found = find(s, self.query.type, self.query.where)
        return int(s.run(f"SELECT count(*) FROM ({found})").fetchone()[0])

    def exists(self) -> bool:
        """Return whether any record matches."""
        s = self._statement()
        return s.run(f"{walk(s, self.query.type, self.query.where)} LIMIT 1").fetchone() is not None

    def _statement(self) -> Statement:
        return Statement(self.connection, self.names, self.query.now, find, self.tuning.many)

    def _places(self) -> list[order.Place]:
        """Return the places of the page's records and of one more, if there is one."""
        wanted = self.query.limit + 1
        try:
            with self.limit.patience(self.tuning.patience):
                return self._walked(wanted)
        except OutOfPatience:
            s = self._statement()
            return s.run(sorted_all(s, self.query, wanted)).fetchall()

    def _walked(self, wanted: int) -> list[order.Place]:
        query, s = self.query, self._statement()
        if not query.sort:
            sql = walk(s, query.type, query.where, query.after)
            return s.run(f"{sql} ORDER BY 1, 2 LIMIT {s.bind(wanted)}").fetchall()
        found = self._collected(s)
        if found is not None:
            return found[:wanted]
        if len(query.sort) > 1 or query.sort[0].by:
            raise OutOfPatience
        return self._along(wanted)

    def _collected(self, s: Statement) -> list[order.Place] | None:
        """Return all places behind `after` in order if few records match, else None."""
        query, many = self.query, self.tuning.many
        inner = f"{walk(s, query.type, query.where)} LIMIT {many + 1}"
        columns = ",".join((*values(s, query.type, query.sort), "c.patient", "c.rid"))
        found = s.run(f"SELECT {columns} FROM ({inner}) c").fetchall()
        if len(found) > many:
            return None
        rank = order.place_key(query.sort)
        found.sort(key=rank)
        if query.after is None:
            return found
        start = rank(query.after)
        return [place for place in found if start < rank(place)]

    def _along(self, wanted: int) -> list[order.Place]:
        """Walk the index of the sort's values, then the records that have none."""
        found: list[order.Place] = []
        if self.query.after is None or self.query.after[0] is not None:
            s = self._statement()
            found = s.run(valued(s, self.query, wanted)).fetchall()
        if len(found) < wanted:
            s = self._statement()
            rest = s.run(valueless(s, self.query, wanted - len(found)))
            found += ((None, patient, rid) for patient, rid in rest)
        return found


def _versions(connection: sqlite3.Connection, places: Sequence[order.Place]) -> tuple[Version, ...]:
    rids = [place[-1] for place in places]
    found = {
        rid: rows.version(rows.key(ref), row)
        for rid, ref, *row in connection.execute(_VERSIONS, (msgspec.json.encode(rids).decode(),))
    }
    return tuple(found[rid] for rid in rids)
