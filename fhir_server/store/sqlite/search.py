"""Pages, counts and existence of the records that a query asks for."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from fhir_server.model import Page, Query, Version
from fhir_server.search.tree import ForEachPatient
from fhir_server.store import order
from fhir_server.store.explanation import Step, Total
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.deadline import OutOfPatience
from fhir_server.store.sqlite.find import find, some
from fhir_server.store.sqlite.patients import among, permitted
from fhir_server.store.sqlite.permits import Permits
from fhir_server.store.sqlite.predicate import holds
from fhir_server.store.sqlite.reach import FOR_ALL
from fhir_server.store.sqlite.runner import Runner
from fhir_server.store.sqlite.sample import counted, sampled
from fhir_server.store.sqlite.sort import (
    collected,
    goes_down,
    sorted_all,
    valued,
    valueless,
    walked,
)
from fhir_server.store.sqlite.statement import Statement

MOST_EXACT = 2000
"""Estimates below are exact."""
_HITS = 5
"""A sample that has fewer tells nothing."""
_VERSIONS = (
    f"SELECT r.rid, r.ref, {rows.COLUMNS} FROM json_each(?) j CROSS JOIN record r "
    "CROSS JOIN version v WHERE r.rid = j.value AND v.seq = r.seq"
)


class Search:
    """One query on a connection whose transaction holds one moment still.

    A page is first sought by walking through the records in order, which is soon done where many
    match. Where that takes too long, few match, and all of them are found and sorted.
    """

    def __init__(self, runner: Runner, permits: Permits | None) -> None:
        """Take what runs the query; `permits` only where what the connection reads is committed."""
        self._do = runner
        self._asked = runner.asked
        self._permits = permits

    @property
    def steps(self) -> list[Step]:
        """Return what was decided so far."""
        return self._do.steps

    def page(self) -> Page:
        """Return a page."""
        query = self._asked.query
        if query.limit <= 0:
            return Page(())
        with self._do.timed("page"):
            self._prepare(whole=False)
            found = self._places()
        places = order.turned(found, query.limit, back=query.back)
        onward = order.onward(places, more=len(found) > len(places), back=query.back)
        return Page(_versions(self._asked.connection, places), tuple(places), onward)

    def count(self) -> int:
        """Return how many records match."""
        query = self._asked.query
        with self._do.timed("count"):
            self._prepare(whole=True)
            found = self._do.run("count", lambda s: counted(find(s, query.type, query.where)))
            return int(found.fetchone()[0])

    def estimate(self) -> Total:
        """Return how many match if they are few or soon found; else what a sample comes to."""
        query = self._asked.query
        self._prepare(whole=False)
        try:
            with self._do.patience():
                number = len(
                    self._do.walk(
                        "some", lambda s: some(s, query.type, query.where, MOST_EXACT), MOST_EXACT
                    )
                )
        except OutOfPatience:
            number = MOST_EXACT
        if number < MOST_EXACT:
            return Total(number)
        share = self._do.run("sample", lambda s: sampled(s, query.type, query.where)).fetchone()
        hits, of, last = map(int, share)
        return Total(hits * last // of, is_exact=False) if hits >= _HITS else Total(self.count())

    def exists(self) -> bool:
        """Return whether any record matches."""
        query = self._asked.query
        return bool(self._do.walk("exists", lambda s: some(s, query.type, query.where, 1), 1))

    def permitted(self, node: ForEachPatient, most: int) -> Iterable[int]:
        """Return the patients whom a grant's predicate permits, up to so many."""
        purpose = f"permitted {self._asked.shape.grants.index(node)} {most}"
        found = self._do.run(
            purpose, lambda s: f"SELECT pid FROM {permitted(s, node)} LIMIT {most}"
        )
        return (pid for (pid,) in found)

    def among(self, node: ForEachPatient, pids: Iterable[int]) -> Iterable[int]:
        """Return those of some patients whom a grant's predicate permits."""
        self._asked.among = msgspec.json.encode(list(pids)).decode()
        purpose = f"among {self._asked.shape.grants.index(node)}"
        found = self._do.run(purpose, lambda s: among(s, node, lambda row: _granted(s, node, row)))
        return (pid for (pid,) in found)

    def _prepare(self, *, whole: bool) -> None:
        """Learn whom grants permit, where that is known or worth it."""
        if self._permits is not None:
            self._permits.prepare(self._asked, self, whole=whole)

    def _places(self) -> list[order.Place]:
        """Return the places of the page's records, and of one more if there is one, as the walk
        meets them."""
        try:
            with self._do.patience():
                return self._walked()
        except OutOfPatience:
            self.steps.append(Step("impatient", self._asked.query.type))
            self._prepare(whole=True)
            return self._do.run("sorted", lambda s: sorted_all(s, self._asked.query)).fetchall()

    def _walked(self) -> list[order.Place]:
        query = self._asked.query
        if not query.sort:
            wanted = self._asked.wanted
            return self._do.walk(
                "walk", lambda s: walked(s, query), wanted, query.after, down=query.back
            )
        found = self._collected()
        if found is not None:
            return found[: self._asked.wanted]
        if len(query.sort) > 1 or query.sort[0].by:
            raise OutOfPatience
        return self._along()

    def _collected(self) -> list[order.Place] | None:
        """Return all places behind `after` in order if few records match, else None."""
        query, many = self._asked.query, self._do.tuning.many
        found = self._do.walk("collect", lambda s: collected(s, query, many + 1), many + 1)
        if len(found) > many:
            return None
        rank = order.place_key(query.sort)
        found.sort(key=rank, reverse=query.back)
        if query.after is None:
            return found
        start = rank(query.after)
        if query.back:
            return [place for place in found if rank(place) < start]
        return [place for place in found if start < rank(place)]

    def _along(self) -> list[order.Place]:
        """Walk the index of the sort's values, and behind it the records that have none."""
        query, wanted = self._asked.query, self._asked.wanted
        steps = [self._valueless, self._valued] if query.back else [self._valued, self._valueless]
        if query.after is not None and (query.after[0] is None) != query.back:
            del steps[0]  # the walk is beyond the first part
        found: list[order.Place] = []
        for step in steps:
            if len(found) < wanted:
                found += step(query)
        return found[:wanted]

    def _valued(self, query: Query) -> Iterable[order.Place]:
        return self._do.run("valued", lambda s: valued(s, query)).fetchall()

    def _valueless(self, query: Query) -> Iterable[order.Place]:
        behind = query.after if query.after and query.after[0] is None else None
        wanted, down = self._asked.wanted, goes_down(query, query.sort[0])
        rest = self._do.walk("valueless", lambda s: valueless(s, query), wanted, behind, down=down)
        return ((None, patient, rid) for patient, rid in rest)


def _granted(s: Statement, node: ForEachPatient, row: str) -> str:
    """Return the predicate that the row of a grant makes its patient a permitted one."""
    return holds(s, node.where, node.type, row, FOR_ALL)


def _versions(connection: sqlite3.Connection, places: Sequence[order.Place]) -> tuple[Version, ...]:
    rids = [place[-1] for place in places]
    found = {
        rid: rows.version(rows.key(ref), row)
        for rid, ref, *row in connection.execute(_VERSIONS, (msgspec.json.encode(rids).decode(),))
    }
    return tuple(found[rid] for rid in rids)
