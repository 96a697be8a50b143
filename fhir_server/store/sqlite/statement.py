"""One SQL statement as it is put together: its values, its aliases and its named steps.

Nothing of a query's values is in the text, so that a statement serves all queries of one shape
(`shape`). What else it depends on, which of the predicates let few records through, is counted
while it is put together, and each count is remembered with it (`plans`).
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fhir_server.model import Value
from fhir_server.search.prefix import end
from fhir_server.search.tree import ForEachPatient, Node, Now
from fhir_server.store.explanation import Step
from fhir_server.store.sqlite.asked import Asked, Compiled, Given, moment
from fhir_server.store.sqlite.shape import PATIENT, Listed, in_order, is_long

NEVER = "0 = 1"
"""What never holds. A bare `0`, like `IN ()`, is folded away with terms that an index needs."""

_DEEPER = 100
_BALANCED = 32
_PLACE = re.compile(r"\?(\d+)")
_MOST_PLACES = 32_000
_OFTEN = 6
_NAMED = 2


@dataclass(slots=True)
class Statement:
    """What the parts of a statement share; places are numbered, so that parts may be in any order.

    A *step* is a named, materialised SELECT in front of the statement, made once for each `key`:
    joins hang on steps, since nested ones overflow SQLite's parser. `find` is how a step finds its
    records; `many` is how many records are not few. `counted` are the counts that it depends on.
    Where `slices` are allowed it may ask about a slice of patients alone: `sliced` says how.
    """

    asked: Asked
    find: "Callable[[Statement, str, Node], str]"
    many: int
    counted: list[tuple[Compiled, int, int]] = field(default_factory=list)
    places: dict[Hashable, str] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    steps: dict[Hashable, tuple[str, str]] = field(default_factory=dict)
    estimates: dict[Hashable, int] = field(default_factory=dict)
    told: list[Step] = field(default_factory=list)
    aliases: int = 0
    slices: bool = True
    sliced: set[str] = field(default_factory=set)
    deep: "dict[int, Statement]" = field(default_factory=dict)

    def bind(self, value: Value | Now) -> str:
        """Return the place of a value of the query."""
        if isinstance(value, Now):
            return self._place("now", moment)
        return self._place(*self._slotted(value))

    def constant(self, value: Value) -> str:
        """Return the place of a value that all queries of this shape have."""
        return self._place(("constant", value), lambda _: value)

    def after(self, number: int, before: str = "") -> str:
        """Return the place of a part of the place where the page begins, behind the text `before`;
        the last two are the patient's and the record's number."""

        def part(asked: Asked) -> Value | None:
            value = asked.query.after[number] if asked.query.after else None
            return f"{before}{value}" if before else value

        return self._place(("after", number, before), part)

    def wanted(self) -> str:
        """Return the place of how many records are wanted."""
        return self._place("wanted", lambda asked: asked.wanted)

    def end(self, prefix: str) -> str | None:
        """Return the place of the first text behind all that begin so; None: there is none."""
        if end(prefix) is None:
            return None
        key, value = self._slotted(prefix)
        return self._place(("end", key), lambda asked: end(_value(asked, value)))

    def one_of(self, values: Listed, before: str = "") -> str:
        """Return the right side of `IN`, each value behind the text `before`."""
        if not values:
            return f"(SELECT 0 WHERE {NEVER})"
        if not is_long(values):
            return f"({','.join(self._behind(before, value) for value in in_order(values))})"
        key, given = self._slotted(values)

        def listed(asked: Asked) -> str:
            found = in_order(_value(asked, given))
            return msgspec.json.encode([f"{before}{v}" if before else v for v in found]).decode()

        return f"(SELECT value FROM json_each({self._place(('list', before, key), listed)}))"

    def param(self, type: str, name: str) -> str:
        """Return a parameter's number, or the place of one that no committed record has had yet."""
        names = self.asked.names
        names.param(self.asked.connection, type, name)  # remembers it, if it is committed
        number = names.params.get((type, name))
        if number is not None:
            return str(number)
        return self._place(
            ("param", type, name), lambda asked: asked.names.param(asked.connection, type, name)
        )

    def kind(self, type: str) -> str:
        """Return a type's number."""
        return self.param(type, "")

    def patient(self, id: str) -> str:
        """Return the place of the number of a patient, who may be named by a reference."""
        key, value = self._slotted(id)

        def number(asked: Asked) -> int:
            found: str = _value(asked, value)
            return asked.names.patient(asked.connection, found.removeprefix(PATIENT))

        return self._place(("patient", key), number)

    def named(self) -> list[str]:
        """Return the places of the numbers of patients whom the query names, of the first few."""
        return [self.patient(name) for name in self.asked.shape.named[:_NAMED]]

    def kept(self, node: Node) -> int | None:
        """Return the place of the set of patients whom a grant's predicate permits, if known."""
        if not self.asked.permitted or not isinstance(node, ForEachPatient):
            return None
        place = self.asked.shape.grants.index(node)
        return None if self.asked.permitted[place] is None else place

    def listed(self, place: int) -> str:
        """Return the place of the JSON of a set of patients."""

        def given(asked: Asked) -> str:
            permitted = asked.permitted[place]
            return permitted.listed if permitted else "[]"

        return self._place(("permitted", place), given)

    def made(self, key: Hashable, make: Callable[[Asked], Any]) -> str:
        """Return the place of what is made of a query."""
        return self._place(key, make)

    def slice(self, place: int, *, led: bool) -> str:
        """Return the place of the JSON of those of a set who are in the slice.

        `led` says that besides an index leads to the records in their order.
        """

        def given(asked: Asked) -> str:
            permitted = asked.permitted[place]
            return permitted.within(asked.slice) if permitted else "[]"

        self.sliced.add("led" if led else "walked")
        return self._place(("slice", place), given)

    def bounds(self) -> tuple[str, str]:
        """Return the places of the number below the slice, and of its last number."""
        return (
            self._place(("slice", "low"), lambda asked: asked.slice.low),
            self._place(("slice", "high"), lambda asked: asked.slice.high),
        )

    def among(self) -> str:
        """Return the place of the JSON of patients who are asked about."""
        return self._place("among", lambda asked: asked.among)

    def alias(self) -> str:
        """Return a name that no other part uses."""
        self.aliases += 1
        return f"t{self.aliases}"

    def step(self, key: Hashable, make: Callable[[], str], how: str = "MATERIALIZED") -> str:
        """Return the name of the step of this key, which `make` writes if it is not there yet; one
        that is `NOT MATERIALIZED` is a view, put into its place after it was read."""
        if key not in self.steps:
            sql = make()  # its own steps come first
            self.steps[key] = (f"s{len(self.steps)}", f"{how} ({sql})")
        return self.steps[key][0]

    def tell(self, step: Step) -> None:
        """Note what an administrator is told of this plan."""
        if step not in self.told:
            self.told.append(step)

    def probe(self) -> "Statement":
        """Return an empty statement that counts for this one."""
        return Statement(self.asked, self.find, self.many, self.counted)

    def deeper(self, times: int = _DEEPER) -> "Statement":
        """Return the statement that counts so many times further before it says many."""
        if times not in self.deep:
            self.deep[times] = self.probe()
            self.deep[times].many *= times
        return self.deep[times]

    def count(self, rest: str) -> int:
        """Return how many rows `rest`, what comes behind FROM, has: rounded up, `many` at most."""
        made = self.compiled(f"SELECT count(*) FROM (SELECT 1 FROM {rest} LIMIT {self.many})")
        found = made.count(self.asked, self.many)
        self.counted.append((made, self.many, found))
        return found

    def compiled(self, sql: str) -> Compiled:
        """Return the statement: `sql` behind all steps."""
        if self.steps:
            steps = (f"{name} AS {body}" for name, body in self.steps.values())
            sql = f"WITH {','.join(steps)} {sql}"
        given = self.given
        order = [int(place) - 1 for place in _PLACE.findall(sql)]
        if len(order) < _OFTEN * len(given) and len(order) <= _MOST_PLACES:
            # SQLite looks for a numbered place among all others, so many of them take its time;
            # the same value in many places takes more.
            sql, given = _PLACE.sub("?", sql), [given[place] for place in order]
        return Compiled(sql, tuple(given), tuple(self.told), frozenset(self.sliced))

    def _behind(self, before: str, value: Value) -> str:
        key, given = self._slotted(value)
        if not before:
            return self._place(key, given)
        return self._place((before, key), lambda asked: f"{before}{_value(asked, given)}")

    def _slotted(self, value: Value | Listed) -> tuple[Hashable, Given]:
        number = self.asked.shape.slot(value)
        if number is not None:
            return number, number
        if not self.asked.shape.is_unique:
            raise KeyError(f"{value!r} has no slot in the shape of its query")
        return ("own", type(value), value), lambda _: value

    def _place(self, key: Hashable, given: Given) -> str:
        if key not in self.places:
            self.given.append(given)
            self.places[key] = f"?{len(self.given)}"
        return self.places[key]


def _value(asked: Asked, given: Given) -> Any:
    return asked.shape.values[given] if isinstance(given, int) else given(asked)


def joined(word: str, parts: Iterable[str], nothing: str) -> str:
    """Return parts joined by AND or OR, many as a balanced tree: SQLite bounds its depth."""
    listed = list(parts)
    if not listed:
        return nothing
    if len(listed) <= _BALANCED:
        return listed[0] if len(listed) == 1 else f"({f' {word} '.join(listed)})"
    half = len(listed) // 2
    return f"({joined(word, listed[:half], nothing)} {word} {joined(word, listed[half:], nothing)})"
