"""Compiled statements, kept by the shape of the query and by what was counted for it.

While a statement is put together, the records that its predicates let through are counted, a few
of them, and each count decides how it goes on. So what is kept for a shape is a tree: the first
count, and for each outcome the next one, down to the statement. Another query of the shape makes
the same counts with values of its own, and finds the statement that would be put together for it.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from fhir_server.store.sqlite.asked import Asked, Compiled
from fhir_server.store.sqlite.statement import Statement

_MOST = 1000


@dataclass(slots=True)
class _Fork:
    """A count, up to `most`, and what follows each of its outcomes."""

    count: Compiled
    most: int
    then: "_Branches" = field(default_factory=dict)


_Branches = dict[Hashable, "_Fork | Compiled"]


class Plans:
    """What was compiled, shared by the threads of a process; it is forgotten where it is too much.

    Two threads may compile the same at the same time: the later one is kept.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._trees: _Branches = {}
        self._size = 0
        self._long: set[Hashable] = set()

    def get(
        self, asked: Asked, key: Hashable, empty: Statement, write: Callable[[Statement], str]
    ) -> Compiled:
        """Return the statement of this key and shape, which `write` puts together if need be."""
        key = (key, asked.shape.key)
        found = self._trees.get(key)
        while isinstance(found, _Fork):
            found = found.then.get(found.count.count(asked, found.most))
        if found is None:
            found = empty.compiled(write(empty))
            if not asked.shape.is_unique:
                self._keep(key, empty, found)
        return found

    def is_long(self, asked: Asked, purpose: str) -> bool:
        """Tell whether such a query last took too long for the event loop."""
        return (purpose, asked.shape.key) in self._long

    def measured(self, asked: Asked, purpose: str, *, is_long: bool) -> None:
        """Learn how long a query took that was not brief."""
        key = (purpose, asked.shape.key)
        if not is_long or asked.shape.is_unique:
            self._long.discard(key)
            return
        if len(self._long) >= _MOST:
            self._long.clear()
        self._long.add(key)

    def _keep(self, key: Hashable, statement: Statement, made: Compiled) -> None:
        if self._size >= _MOST:
            self._trees.clear()
            self._size = 0
        self._size += 1
        branches, place = self._trees, key
        for count, most, outcome in statement.counted:
            fork = branches.get(place)
            if not isinstance(fork, _Fork) or fork.count.sql != count.sql:
                fork = branches[place] = _Fork(count, most)
            branches, place = fork.then, outcome
        branches[place] = made
