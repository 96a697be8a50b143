"""A connection whose statements stay compiled, also those that were interrupted.

Python keeps compiled statements by their text. One that is interrupted counts as in use from then
on, since its reset tells of the interruption once more; each further run would compile it anew,
which costs more than most queries. So it is written with another text then.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

_MOST = 200


class Connection(sqlite3.Connection):
    """Executes statements, and remembers which ones were interrupted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Open it as `sqlite3.connect` does."""
        super().__init__(*args, **options)
        self._interrupted: dict[str, int] = {}
        self._count = 0
        self._last = ""
        self.choices: Sequence[Callable[[Sequence[Any]], bool]] = ()
        """The lists of alternatives of the query that runs, asked in the same way as the next."""
        self.permitted: Sequence[frozenset[int]] = ()
        """The sets of patients of the query that runs, which its statements ask by their place."""

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Execute a statement in a text of its own that is compiled and not in use."""
        self._last = sql
        number = self._interrupted.get(sql) if self._interrupted else None
        return super().execute(sql if number is None else f"{sql} --{number}", parameters)

    def permits(self, place: int, pid: int) -> bool:
        """Tell whether a patient is in a set of the query: a function of its statements."""
        return pid in self.permitted[place]

    def chosen(self, place: int, *row: Any) -> bool:
        """Tell whether a row satisfies one of the query's alternatives, as `permits` does."""
        return self.choices[place](row)

    def interrupted(self) -> None:
        """Note that the last statement was interrupted."""
        if len(self._interrupted) >= _MOST:
            self._interrupted.clear()
        self._count += 1
        self._interrupted[self._last] = self._count
