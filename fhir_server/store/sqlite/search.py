"""Pages, counts and existence of the records that a query asks for."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from fhir_server.model import Page, Query, Version
from fhir_server.search.tree import ForEachPatient
from fhir_server.store import order
from fhir_server.store.explanation import Step, Total
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience
from fhir_server.store.sqlite.find import find, walk
from fhir_server.store.sqlite.patients import permitted
from fhir_server.store.sqlite.permits import Permits
from fhir_server.store.sqlite.plans import Plans
from fhir_server.store.sqlite.sample import counted, sampled, some
from fhir_server.store.sqlite.sort import collected, sorted_all, valued, valueless, walked
from fhir_server.store.sqlite.statement import Asked, Statement

MOST_EXACT = 2000
"""Estimates below are exact."""
_LONG = 100_000
"""Characters of a statement that takes long to be compiled."""
_HITS = 5
"""A sample that has fewer tells nothing."""
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


class Search:
    """One query on a connection whose transaction holds one moment still.

    A page is first sought by walking through the records in order, which is soon done where many
    match. Where that takes too long, few match, and all of them are found and sorted.
    """

    def __init__(
        self, asked: Asked, plans: Plans, limit: Limit, tuning: Tuning, permits: Permits | None
    ) -> None:
        """Take a query on its connection, and what it may take; `permits` only where what the
        connection reads is committed."""
        self._asked = asked
        self._plans = plans
        self._limit = limit
        self._tuning = tuning
        self._permits = permits
        self.steps: list[Step] = []
        """What was decided so far."""

    def page(self) -> Page:
        """Return a page."""
        query = self._asked.query
        if query.limit <= 0:
            return Page(())
        self._prepare(whole=False)
        found = self._places()
        places = order.turned(found, query.limit, back=query.back)
        onward = order.onward(places, more=len(found) > len(places), back=query.back)
        return Page(_versions(self._asked.connection, places), tuple(places), onward)

    def count(self) -> int:
        """Return how many records match."""
        query = self._asked.query
        self._prepare(whole=True)
        found = self._run("count", lambda s: counted(find(s, query.type, query.where)))
        return int(found.fetchone()[0])

    def estimate(self) -> Total:
        """Return how many match if they are few or soon found; else what a sample comes to."""
        query = self._asked.query
        self._prepare(whole=False)
        try:
            with self._limit.patience(self._tuning.patience):
                found = self._run("some", lambda s: some(s, query.type, query.where, MOST_EXACT))
                number = int(found.fetchone()[0])
        except OutOfPatience:
            number = MOST_EXACT
        if number < MOST_EXACT:
            return Total(number)
        share = self._run("sample", lambda s: sampled(s, query.type, query.where)).fetchone()
        hits, of, last = map(int, share)
        return Total(hits * last // of, is_exact=False) if hits >= _HITS else Total(self.count())

    def exists(self) -> bool:
        """Return whether any record matches."""
        query = self._asked.query
        found = self._run("exists", lambda s: f"{walk(s, query.type, query.where)} LIMIT 1")
        return found.fetchone() is not None

    def _prepare(self, *, whole: bool) -> None:
        """Learn whom grants permit, where that is known or worth it."""
        if self._permits is not None:
            self._permits.prepare(self._asked, self._permitted, whole=whole)

    def _permitted(self, node: ForEachPatient, most: int) -> Iterable[int]:
        place = self._asked.shape.grants.index(node)
        found = self._run(
            f"permitted {place} {most}",
            lambda s: f"SELECT pid FROM {permitted(s, node)} LIMIT {most}",
        )
        return (pid for (pid,) in found)

    def _run(self, purpose: str, write: Callable[[Statement], str]) -> sqlite3.Cursor:
        """Run what `write` puts together, or what it once put together for such a query."""
        many = self._tuning.many
        empty = Statement(self._asked, find, many)
        key = (purpose, many, self._asked.sizes(many))
        made = self._plans.get(self._asked, key, empty, write)
        if len(made.sql) > _LONG and self._limit.is_brief:
            raise OutOfPatience  # nothing interrupts SQLite while it compiles
        self.steps += made.told
        return made.run(self._asked)

    def _places(self) -> list[order.Place]:
        """Return the places of the page's records, and of one more if there is one, as the walk
        meets them."""
        try:
            with self._limit.patience(self._tuning.patience):
                return self._walked()
        except OutOfPatience:
            self.steps.append(Step("impatient", self._asked.query.type))
            self._prepare(whole=True)
            return self._run("sorted", lambda s: sorted_all(s, self._asked.query)).fetchall()

    def _walked(self) -> list[order.Place]:
        query = self._asked.query
        if not query.sort:
            return self._run("walk", lambda s: walked(s, query)).fetchall()
        found = self._collected()
        if found is not None:
            return found[: self._asked.wanted]
        if len(query.sort) > 1 or query.sort[0].by:
            raise OutOfPatience
        return self._along()

    def _collected(self) -> list[order.Place] | None:
        """Return all places behind `after` in order if few records match, else None."""
        query, many = self._asked.query, self._tuning.many
        found = self._run("collect", lambda s: collected(s, query, many + 1)).fetchall()
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
        return self._run("valued", lambda s: valued(s, query)).fetchall()

    def _valueless(self, query: Query) -> Iterable[order.Place]:
        rest = self._run("valueless", lambda s: valueless(s, query))
        return ((None, patient, rid) for patient, rid in rest)


def _versions(connection: sqlite3.Connection, places: Sequence[order.Place]) -> tuple[Version, ...]:
    rids = [place[-1] for place in places]
    found = {
        rid: rows.version(rows.key(ref), row)
        for rid, ref, *row in connection.execute(_VERSIONS, (msgspec.json.encode(rids).decode(),))
    }
    return tuple(found[rid] for rid in rids)
