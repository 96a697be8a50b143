"""Alternatives of one form as the rows of a table: thousands of values cost no more than one.

SQLite compares each constant of a statement with all others, so that a statement of thousands of
comparisons takes seconds to compile. Rows of VALUES are not looked at; what they are compared with
is written once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from fhir_server.model import Value
from fhir_server.search.tree import Cond, Now
from fhir_server.store.sqlite.condition import conditions
from fhir_server.store.sqlite.shape import Listed
from fhir_server.store.sqlite.statement import Statement, joined

FEW = 16
"""More alternatives than these become a table."""

Choice = Sequence[tuple[str, Iterable[Cond]]]
"""Conditions on the entries of some aliases, all of which have to hold."""


@dataclass(slots=True)
class _Row:
    """Takes down the places of what is compared, and gives the columns of a table instead."""

    s: Statement
    table: str
    places: list[str] = field(default_factory=list)

    def bind(self, value: Value | Now) -> str:
        return self._column(self.s.bind(value))

    def end(self, prefix: str) -> str | None:
        place = self.s.end(prefix)
        return None if place is None else self._column(place)

    def one_of(self, values: Listed) -> str:
        return self.s.one_of(values)

    def _column(self, place: str) -> str:
        self.places.append(place)
        return f"{self.table}.column{len(self.places)}"


def forms(s: Statement, choices: Sequence[Choice]) -> Iterator[tuple[str, str]]:
    """Yield a table (empty: none is needed) and a condition: one of these holds if a choice does.

    The table is to be joined as it stands, with CROSS JOIN.
    """
    if len(choices) <= FEW:
        yield "", _either(s, choices)
        return
    table = s.alias()
    found: dict[str, list[tuple[Choice, tuple[str, ...]]]] = {}
    for choice in choices:
        row = _Row(s, table)
        text = joined("AND", (t for a, conds in choice for t in conditions(row, a, conds)), "1")
        found.setdefault(text, []).append((choice, tuple(row.places)))
    for text, rows in found.items():
        if len(rows) <= FEW or not rows[0][1]:
            yield "", _either(s, [choice for choice, _ in rows])
        else:
            values = "VALUES " + ",".join(f"({','.join(places)})" for _, places in rows)
            yield f"{s.step(values, partial(str, values))} {table}", text


def _either(s: Statement, choices: Iterable[Choice]) -> str:
    return joined(
        "OR",
        (
            joined("AND", (t for a, conds in choice for t in conditions(s, a, conds)), "1")
            for choice in choices
        ),
        "1",
    )
