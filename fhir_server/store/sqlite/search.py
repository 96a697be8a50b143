"""Pages, counts and existence of the records that a query asks for."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from fhir_server.model import Page, Query, Version
from fhir_server.search.tree import ForEachPatient
from fhir_server.store import order
from fhir_server.store.explanation import Step, Total
from fhir_server.store.sqlite import rows
from fhir_server.store.sqlite.asked import Asked, Compiled
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience
from fhir_server.store.sqlite.find import find
from fhir_server.store.sqlite.patients import permitted
from fhir_server.store.sqlite.permits import Permits
from fhir_server.store.sqlite.permitted import before
from fhir_server.store.sqlite.plans import Plans
from fhir_server.store.sqlite.readers import BRIEF
from fhir_server.store.sqlite.sample import counted, sampled, some
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
_LONG = 100_000
"""Characters of a statement that takes long to be compiled."""
SLICE = 16
"""The fewest patients of whom a walk asks at once, and how many times as many the next time."""
_GROWTH = 16
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
        with self._timed("page"):
            self._prepare(whole=False)
            found = self._places()
        places = order.turned(found, query.limit, back=query.back)
        onward = order.onward(places, more=len(found) > len(places), back=query.back)
        return Page(_versions(self._asked.connection, places), tuple(places), onward)

    def count(self) -> int:
        """Return how many records match."""
        query = self._asked.query
        with self._timed("count"):
            self._prepare(whole=True)
            found = self._run("count", lambda s: counted(find(s, query.type, query.where)))
            return int(found.fetchone()[0])

    def estimate(self) -> Total:
        """Return how many match if they are few or soon found; else what a sample comes to."""
        query = self._asked.query
        self._prepare(whole=False)
        try:
            with self._limit.patience(self._tuning.patience):
                number = len(self._walk("some", lambda s: some(s, query, MOST_EXACT), MOST_EXACT))
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
        return bool(self._walk("exists", lambda s: some(s, query, 1), 1))

    @contextmanager
    def _timed(self, purpose: str) -> Iterator[None]:
        """Give up at once on the event loop what took long before: half of it would be done
        twice, and what is interrupted has to be compiled again."""
        if self._limit.is_brief and self._plans.is_long(self._asked, purpose):
            raise OutOfPatience
        yield
        if not self._limit.is_brief:
            is_long = self._limit.looked > BRIEF
            self._plans.measured(self._asked, purpose, is_long=is_long)

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

    def _made(
        self, purpose: str, write: Callable[[Statement], str], *, slices: bool = True
    ) -> Compiled:
        """Return what `write` puts together, or what it once put together for such a query."""
        many = self._tuning.many
        empty = Statement(self._asked, find, many, slices=slices)
        key = (purpose, many, slices, self._asked.sizes(many))
        made = self._plans.get(self._asked, key, empty, write)
        if len(made.sql) > _LONG and self._limit.is_brief:
            raise OutOfPatience  # nothing interrupts SQLite while it compiles
        self.steps += made.told
        return made

    def _run(self, purpose: str, write: Callable[[Statement], str]) -> sqlite3.Cursor:
        return self._made(purpose, write).run(self._asked)

    def _walk(
        self,
        purpose: str,
        write: Callable[[Statement], str],
        wanted: int,
        after: order.Place | None = None,
        *,
        down: bool = False,
    ) -> list[Any]:
        """Return as many rows as are wanted of a walk: all at once, or slice by slice.

        It goes on behind a place, `down` from the last patient to the first.
        """
        made, asked = self._made(purpose, write), self._asked
        if not made.sliced:
            return made.run(asked).fetchall()
        found: list[Any] = []
        seen, size = 0, SLICE
        asked.slice = before(after, down=down)
        while len(found) < wanted and asked.move(size, down=down):
            found += made.run(asked).fetchall()
            seen += size
            if seen == SLICE and "walked" not in made.sliced and len(found) < seen * asked.share():
                return self._made(purpose, write, slices=False).run(asked).fetchall()
            size = _next_size(size, seen, len(found), wanted)
        return found[:wanted]

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
            wanted = self._asked.wanted
            return self._walk(
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
        query, many = self._asked.query, self._tuning.many
        found = self._walk("collect", lambda s: collected(s, query, many + 1), many + 1)
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
        behind = query.after if query.after and query.after[0] is None else None
        wanted, down = self._asked.wanted, goes_down(query, query.sort[0])
        rest = self._walk("valueless", lambda s: valueless(s, query), wanted, behind, down=down)
        return ((None, patient, rid) for patient, rid in rest)


def _next_size(size: int, seen: int, found: int, wanted: int) -> int:
    """Return of how many patients to ask next, after `found` rows about so many seen."""
    most = size * _GROWTH
    missing = wanted - found
    return max(SLICE, min(most, missing * seen * 5 // (found * 4))) if found else most


def _versions(connection: sqlite3.Connection, places: Sequence[order.Place]) -> tuple[Version, ...]:
    rids = [place[-1] for place in places]
    found = {
        rid: rows.version(rows.key(ref), row)
        for rid, ref, *row in connection.execute(_VERSIONS, (msgspec.json.encode(rids).decode(),))
    }
    return tuple(found[rid] for rid in rids)
