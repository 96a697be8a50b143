"""The search tree: query strings, scopes, grants and subscriptions all become these few nodes.

Three readers take it: the memory evaluator (`search.evaluate`), the SQL compiler and the MongoDB
compiler. Nodes are frozen and hashable, so a compiled query can be kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from fhir_server.model import Value

Operator = Literal["=", "<", "<=", ">", ">=", "prefix", "contains", "suffix", "in"]
Column = Literal["v", "w", "u"]
Direction = Literal["above", "below"]


class Now:
    """The time of the request: the store puts `Query.now` in its place."""

    def __repr__(self) -> str:
        return "NOW"


NOW = Now()


class Cond(NamedTuple):
    """One comparison with a column of an entry. `in` takes a tuple; `prefix`,
    `contains` and `suffix` take text."""

    column: Column
    op: Operator
    value: Value | Now | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Some one entry of `param` satisfies all conditions."""

    param: str
    all: tuple[Cond, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """A composite: in some one group each part `param.0`, `param.1` … has an entry that
    satisfies its conditions."""

    param: str
    parts: tuple[tuple[Cond, ...], ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """The record's id is one of these."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Updated:
    """The record's `lastUpdated`, as column `v` in milliseconds, satisfies all conditions."""

    all: tuple[Cond, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold; `And(())` always does."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them holds; `Or(())` never does."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class Chain:
    """The reference `param` points at a living record of `type` that satisfies `where`.

    It points by `Type/id`; if `canonical`, by an entry of the record's `url`, and where it names a
    version, by one of its `version` as well.
    """

    param: str
    type: str
    where: "Node"
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """Some living record of `type` refers to this one by `param` and satisfies `where`.

    It refers by `Type/id`, or if `canonical` as for `Chain`.
    """

    type: str
    param: str
    where: "Node"
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Contained:
    """Some resource of `type` in the record satisfies `where`, which holds no joins: one that its
    reference `param` names, or any at all if there is no `param`."""

    type: str
    where: "Node"
    param: str = ""


@dataclass(frozen=True, slots=True)
class InPatient:
    """The record is in the compartment of this patient, perhaps among others' (a
    compartment search)."""

    patient: str


@dataclass(frozen=True, slots=True)
class OnlyPatients:
    """The record is in some patient's compartment, and only in those of these (authorization)."""

    patients: frozenset[str]


@dataclass(frozen=True, slots=True)
class ForEachPatient:
    """The record is in some patient's compartment, and for each patient that it is in the
    compartment of,
    some living record of `type` about that patient satisfies `where`: how a grant permits.
    `where` holds no joins."""

    type: str
    where: "Node"


@dataclass(frozen=True, slots=True)
class Words:
    """The narrative (`text`) or the whole text (`content`) holds these words (`search.words`), one
    right behind the other; of the last one perhaps only what it `begins` with. No words: it has
    any."""

    scope: Literal["text", "content"]
    words: tuple[str, ...] = ()
    begins: bool = False

    @property
    def sought(self) -> str:
        """What a kept text has in it."""
        together = " ".join(("", *self.words, ""))
        return together.rstrip(" ") if self.begins else together


@dataclass(frozen=True, slots=True)
class Near:
    """Some one entry of `param`, latitude in `v` and longitude in `w` (degrees), lies at most so
    many metres from a place."""

    param: str
    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class InValueSet:
    """Some entry of the token `param` is a code of a value set.

    `value_set` is its canonical URL or `ValueSet/id`; `bare` are the (system, code) pairs that an
    entry without a system stands for. No store reads this: it becomes a `Match` before
    (`interactions.terminology`).
    """

    param: str
    value_set: str
    bare: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Subsumed:
    """Some entry of the token `param` is this code or stands `below` (or `above`) it in its system.

    `bare` and what becomes of it are as for `InValueSet`.
    """

    param: str
    direction: Direction
    system: str
    code: str
    bare: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Along:
    """The reference `param` is to one of these records of a type, or to one `below` (or `above`).

    `parent` is the parameter by which a record of the type refers to the one above it. As
    `InValueSet`, it becomes a `Match` before a store reads it.
    """

    param: str
    direction: Direction
    type: str
    ids: frozenset[str]
    parent: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of many alternatives of a kind holds: an `Or` that is quick to ask (`search.oneof`).

    `kind` is a word and the parameters; `holds` asks a row of columns. Only `simplified` makes it.
    """

    kind: tuple[str, tuple[str, ...]]
    nodes: tuple["Node", ...]
    holds: Callable[[Sequence[Value]], bool] = field(compare=False, repr=False)

    def __hash__(self) -> int:
        """Return a hash that does not look at thousands of nodes."""
        return hash((self.kind, len(self.nodes), self.nodes[0], self.nodes[-1]))


Node = (
    Match
    | Together
    | Ids
    | Updated
    | And
    | Or
    | Not
    | Chain
    | Has
    | Contained
    | InPatient
    | OnlyPatients
    | ForEachPatient
    | Words
    | Near
    | OneOf
    | InValueSet
    | Subsumed
    | Along
)

EVERYTHING = And(())
NOTHING = Or(())


def missing(param: str) -> Node:
    """Return the predicate that the record has no entry of `param`."""
    return Not(Match(param))


def unwritten(param: str) -> Node:
    """Return the predicate that the record has no entry of `param` with a text in `w`."""
    return Not(Match(param, (Cond("w", ">", ""),)))


def both(*nodes: Node) -> Node:
    """Return the conjunction, flattened and without what is always true.

    >>> both(EVERYTHING, Ids(frozenset({"a"})))
    Ids(ids=frozenset({'a'}))
    """
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, And) else (node,))
    if NOTHING in flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(*nodes: Node) -> Node:
    """Return the disjunction, flattened and without what is never true.

    >>> either(NOTHING, Ids(frozenset({"a"})))
    Ids(ids=frozenset({'a'}))
    """
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, Or) else (node,))
    if EVERYTHING in flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
