"""What a query asks of a connection, and a statement that is run for it."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server.model import Query
from fhir_server.store.explanation import Step
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.counts import Counts
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.permitted import ALL, Permitted, following
from fhir_server.store.sqlite.shape import Shape

_LADDER = (0, 1, 4, 16, 64, 200, 1000, 4000)


class Asked:
    """What a query asks of a connection: its shape, its values, and what was counted for it."""

    def __init__(self, connection: Connection, names: Names, query: Query, counts: Counts) -> None:
        """Take a query whose predicate is simplified."""
        self.connection = connection
        self.names = names
        self.query = query
        self.wanted = query.limit + 1
        self.shape = Shape(query)
        self.counts = counts
        connection.choices = [node.holds for node in self.shape.choices]
        self.permitted: tuple[Permitted | None, ...] = ()
        """Of each of `shape.grants` whom it permits, where that is known beforehand."""
        self.among = "[]"
        """The patients, as JSON, about whom a statement asks whether a grant permits them."""
        self.slice = ALL
        """The patients about whom a statement asks that goes by slices of them."""

    def permit(self, permitted: Iterable[Permitted | None]) -> None:
        """Take whom the query's grants permit."""
        self.permitted = tuple(permitted)
        self.connection.permitted = [each.pids if each else frozenset() for each in self.permitted]

    def move(self, size: int, *, down: bool) -> bool:
        """Move on by a slice of so many patients; tell whether there is one."""
        sets = [each for each in self.permitted if each is not None]
        found = following(self.slice, sets, size, down=down)
        self.slice = found or self.slice
        return found is not None

    def share(self) -> float:
        """Return about how many of all patients are permitted, by the largest set."""
        last = self.connection.execute("SELECT max(pid) FROM patient").fetchone()[0]
        return max(len(each.pids) for each in self.permitted if each) / (last or 1)

    def sizes(self, many: int) -> tuple[bool | None, ...]:
        """Return of each set whether it is large, None where there is none: plans depend on it."""
        return tuple(len(each.pids) >= many if each else None for each in self.permitted)


Given = Callable[[Asked], Any] | int
"""What is bound: what stands in a slot, or what is made of it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text, what is bound to it, and what an administrator is told of it."""

    sql: str
    given: tuple[Given, ...]
    told: tuple[Step, ...] = ()
    sliced: frozenset[str] = frozenset()
    """How it asks about the patients of a slice alone, if it does."""

    def run(self, asked: Asked) -> sqlite3.Cursor:
        """Execute it with the values of a query."""
        return asked.connection.execute(self.sql, self._bound(asked))

    def count(self, asked: Asked, most: int) -> int:
        """Return the one number that it finds, rounded up: `most` for so many or more."""
        bound = self._bound(asked)

        def count() -> int:
            return int(asked.connection.execute(self.sql, bound).fetchone()[0])

        pairs = zip(self.given, bound, strict=True)
        timeless = [None if given is moment else value for given, value in pairs]
        return _rounded(asked.counts.get((self.sql, *timeless), count), most)

    def _bound(self, asked: Asked) -> list[Any]:
        values = asked.shape.values
        return [values[each] if isinstance(each, int) else each(asked) for each in self.given]


def moment(asked: Asked) -> int:
    """Return the time of the query."""
    return asked.query.now


def _rounded(number: int, most: int) -> int:
    """Return a number as exactly as a plan needs it, so that plans are few."""
    if number >= most:
        return most
    return next((step for step in _LADDER if number <= step < most), most - 1)
