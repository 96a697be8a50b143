"""One SQL statement as it is put together: its values, its aliases and its named steps."""

import sqlite3
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

import msgspec

from fhir_server.model import Value
from fhir_server.search.tree import Node, Now
from fhir_server.store.sqlite.names import Names

NEVER = "0 = 1"
"""What never holds. A bare `0`, like `IN ()`, is folded away with terms that an index needs."""

_FEW = 16
_DEEPER = 100
_BALANCED = 32


@dataclass(slots=True)
class Statement:
    """What the parts of a statement share; values are numbered, so that parts may be in any order.

    `now` is what `tree.NOW` stands for. A *step* is a named, materialised SELECT in front of the
    statement, made once for each `key`: joins hang on steps, since nested ones overflow SQLite's
    parser. `find` is how a step finds its records; `many` is how many records are not few.
    """

    connection: sqlite3.Connection
    names: Names
    now: int
    find: "Callable[[Statement, str, Node], str]"
    many: int
    values: list[Value | None] = field(default_factory=list)
    steps: dict[Hashable, tuple[str, str]] = field(default_factory=dict)
    estimates: dict[Hashable, int] = field(default_factory=dict)
    aliases: int = 0
    deep: "Statement | None" = None

    def bind(self, value: Value | Now | None) -> str:
        """Return the placeholder of a value."""
        if isinstance(value, Now):
            value = self.now
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            value = float(value)
        self.values.append(value)
        return f"?{len(self.values)}"

    def one_of(self, values: Iterable[Value]) -> str:
        """Return the right side of `IN`."""
        listed = list(values)
        if not listed:
            return f"(SELECT 0 WHERE {NEVER})"
        if len(listed) <= _FEW or any(isinstance(value, float) for value in listed):
            return f"({','.join(map(self.bind, listed))})"
        return f"(SELECT value FROM json_each({self.bind(msgspec.json.encode(listed).decode())}))"

    def param(self, type: str, name: str) -> str:
        """Return the placeholder of a parameter's number."""
        return self.bind(self.names.param(self.connection, type, name))

    def kind(self, type: str) -> str:
        """Return the placeholder of a type's number."""
        return self.bind(self.names.kind(self.connection, type))

    def patient(self, id: str) -> str:
        """Return the placeholder of a patient's number."""
        return self.bind(self.names.patient(self.connection, id))

    def alias(self) -> str:
        """Return a name that no other part uses."""
        self.aliases += 1
        return f"t{self.aliases}"

    def step(self, key: Hashable, make: Callable[[], str]) -> str:
        """Return the name of the step of this key, which `make` writes if it is not there yet."""
        if key not in self.steps:
            sql = make()  # its own steps come first
            self.steps[key] = (f"s{len(self.steps)}", sql)
        return self.steps[key][0]

    def probe(self) -> "Statement":
        """Return an empty statement on the same connection."""
        return Statement(self.connection, self.names, self.now, self.find, self.many)

    def deeper(self) -> "Statement":
        """Return the statement that counts further before it says many."""
        if self.deep is None:
            self.deep = self.probe()
            self.deep.many *= _DEEPER
        return self.deep

    def run(self, sql: str) -> sqlite3.Cursor:
        """Execute `sql` behind all steps."""
        if self.steps:
            steps = (f"{name} AS MATERIALIZED ({body})" for name, body in self.steps.values())
            sql = f"WITH {','.join(steps)} {sql}"
        return self.connection.execute(sql, self.values)


def joined(word: str, parts: Iterable[str], nothing: str) -> str:
    """Return parts joined by AND or OR, many as a balanced tree: SQLite bounds its depth."""
    listed = list(parts)
    if not listed:
        return nothing
    if len(listed) <= _BALANCED:
        return listed[0] if len(listed) == 1 else f"({f' {word} '.join(listed)})"
    half = len(listed) // 2
    return f"({joined(word, listed[:half], nothing)} {word} {joined(word, listed[half:], nothing)})"
