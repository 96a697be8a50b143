"""Runs the statements of one query, and walks through patients slice by slice."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from fhir_server.store.explanation import Step
from fhir_server.store.order import Place
from fhir_server.store.sqlite.asked import Asked, Compiled
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience
from fhir_server.store.sqlite.find import find
from fhir_server.store.sqlite.permitted import before
from fhir_server.store.sqlite.plans import Plans
from fhir_server.store.sqlite.readers import BRIEF
from fhir_server.store.sqlite.statement import Statement

SLICE = 16
"""Of so many patients a walk asks first, and of no fewer later."""
_GROWTH = 16
"""A slice is so many times as large as the one before it at most."""
_LONG = 100_000
"""Characters of a statement that takes long to be compiled."""

Write = Callable[[Statement], str]
"""Puts a statement together."""


class Tuning(NamedTuple):
    """Where one plan ends and another begins; every value gives the same answers.

    Fewer than `many` records are few. Walking in order until a page is full is given up after
    `patience` times 5,000 of SQLite's steps.
    """

    many: int = 200
    patience: int = 20


class Runner:
    """Runs what is put together for a query, or what once was for one of its shape."""

    def __init__(self, asked: Asked, plans: Plans, limit: Limit, tuning: Tuning) -> None:
        """Take a query on its connection, and what it may take."""
        self.asked = asked
        self.limit = limit
        self.tuning = tuning
        self._plans = plans
        self.steps: list[Step] = []
        """What was decided so far."""

    @contextmanager
    def timed(self, purpose: str) -> Iterator[None]:
        """Give up at once on the event loop what took long before: else it would be begun twice,
        and what is interrupted has to be compiled again."""
        if self.limit.is_brief and self._plans.is_long(self.asked, purpose):
            raise OutOfPatience
        yield
        if not self.limit.is_brief:
            is_long = self.limit.looked > BRIEF
            self._plans.measured(self.asked, purpose, is_long=is_long)

    def patience(self) -> AbstractContextManager[None]:
        """Let what is inside be given up after a while. It raises OutOfPatience then."""
        return self.limit.patience(self.tuning.patience)

    def run(self, purpose: str, write: Write) -> sqlite3.Cursor:
        """Run a statement that asks about all records."""
        return self._made(purpose, write).run(self.asked)

    def walk(
        self,
        purpose: str,
        write: Write,
        wanted: int,
        after: Place | None = None,
        *,
        down: bool = False,
    ) -> list[Any]:
        """Return as many rows as are wanted of a walk in the default order, behind a place.

        Where grants permit many patients, it goes slice by slice of these, `down` from the last one
        to the first. Where a patient of the first slice has matches more rarely than a patient at
        all is permitted, matches are walked through instead, and whose each is is looked up.
        """
        made, asked = self._made(purpose, write), self.asked
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

    def _made(self, purpose: str, write: Write, *, slices: bool = True) -> Compiled:
        many = self.tuning.many
        empty = Statement(self.asked, find, many, slices=slices)
        key = (purpose, many, slices, self.asked.sizes(many))
        made = self._plans.get(self.asked, key, empty, write)
        if len(made.sql) > _LONG and self.limit.is_brief:
            raise OutOfPatience  # nothing interrupts SQLite while it compiles
        self.steps += made.told
        return made


def _next_size(size: int, seen: int, found: int, wanted: int) -> int:
    """Return of how many patients to ask next, after `found` rows about so many seen: a quarter
    more than will probably do."""
    most = size * _GROWTH
    missing = wanted - found
    return max(SLICE, min(most, missing * seen * 5 // (found * 4))) if found else most
