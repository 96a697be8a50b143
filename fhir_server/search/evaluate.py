"""The search tree's in-memory reader: does one record satisfy a predicate?

It decides single resources for authorization and Subscriptions, answers the memory store, and is
the oracle that the other readers are held against.

What every reader keeps to:

1. Values are compared as in `search.compare`.
2. An entry of a contained resource (its `path` is not empty) never satisfies a predicate of its
   container, but for `Contained`.
3. Joins (`Chain`, `Has`, `ForEachPatient`) see living records only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from typing import Protocol

from fhir_server.model import NO_TEXT, Entry, Key, Text, Value, Version
from fhir_server.search.compare import TESTS
from fhir_server.search.contained import contained
from fhir_server.search.position import distance
from fhir_server.search.tree import (
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    Not,
    Now,
    OneOf,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)


class Record(Protocol):
    """What a predicate is asked about."""

    @property
    def key(self) -> Key:
        """Return the name."""

    @property
    def updated(self) -> int:
        """Return `lastUpdated` in milliseconds."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Return the index entries."""

    @property
    def patients(self) -> Sequence[str]:
        """Return the ids of the patients whose compartments the record is in."""

    @property
    def text(self) -> Text:
        """Return the words by which full text finds it."""


class World(Protocol):
    """The living records that joins may reach."""

    def get(self, ref: str, /) -> Record | None:
        """Return the record whose literal reference (`Type/id`) this is."""

    def about(self, type: str, patient: str, /) -> Iterable[Record]:
        """Return the records of a type in a patient's compartment."""

    def referring(self, type: str, param: str, ref: str, /) -> Iterable[Record]:
        """Return at least the records of a type whose `param` has an entry with `v` = `ref`."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A record as plain values."""

    key: Key
    updated: int
    entries: Sequence[Entry]
    patients: Sequence[str]
    text: Text = NO_TEXT


def authorizable(version: Version) -> Plain:
    """Return a version as authorization sees it: its `auth` entries are all there is."""
    return Plain(version.key, version.updated, version.auth, version.patients)


class Plainly:
    """A world made of some records at hand, searched one by one."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        """Take the living records."""
        self._all: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            self._all[record.key.type].append(record)

    def get(self, ref: str, /) -> Record | None:
        """Return the record of that literal reference."""
        type, _, id = ref.partition("/")
        return next((r for r in self._all.get(type, ()) if r.key.id == id), None)

    def about(self, type: str, patient: str, /) -> Iterable[Record]:
        """Return the records of a type in a patient's compartment."""
        return [r for r in self._all.get(type, ()) if patient in r.patients]

    def referring(self, type: str, param: str, ref: str, /) -> Iterable[Record]:
        """Return the records of a type; `evaluate` looks at their entries itself."""
        return self._all.get(type, ())


NOWHERE: World = Plainly()


def evaluate(node: Node, record: Record, world: World = NOWHERE, now: int = 0) -> bool:  # noqa: C901, PLR0911 one a node
    """Return whether `record` satisfies `node`; `now` is what `tree.NOW` stands for."""
    holds = partial(evaluate, record=record, world=world, now=now)
    match node:
        case And(nodes):
            return all(map(holds, nodes))
        case Or(nodes):
            return any(map(holds, nodes))
        case Not(inner):
            return not holds(inner)
        case Match(param, conds):
            return any(_meets(e, conds, now) for e in _of(record, param))
        case Together(param, parts):
            return _together(record, param, parts, now)
        case Ids(ids):
            return record.key.id in ids
        case Updated(conds):
            return _meets(Entry("_lastUpdated", record.updated), conds, now)
        case Words(scope):
            return any(node.sought in text for text in record.text[: 1 if scope == "text" else 2])
        case Near(param):
            return any(_metres(e, node) <= node.metres for e in _of(record, param))
        case OneOf():
            return any(map(node.holds, _rows(node, record)))
        case _:
            return _joins(node, record, world, now)


def _joins(node: Node, record: Record, world: World, now: int) -> bool:
    match node:
        case Chain(param, _, where):
            targets = (each for e in _of(record, param) for each in _targets(node, e, world))
            return any(evaluate(where, target, world, now) for target in targets)
        case Has(_, _, where):
            return any(evaluate(where, other, world, now) for other in _others(node, record, world))
        case Contained(type, where, param):
            named = {e.v for e in _of(record, param)}
            return any(
                (not param or f"#{id}" in named)
                and evaluate(
                    where, Plain(Key(type, id), record.updated, said, record.patients), world, now
                )
                for id, said in contained(type, record.entries)
            )
        case InPatient(patient):
            return patient in record.patients
        case OnlyPatients(patients):
            return bool(record.patients) and patients.issuperset(record.patients)
        case ForEachPatient(type, where):
            return bool(record.patients) and all(
                any(evaluate(where, other, world, now) for other in world.about(type, patient))
                for patient in record.patients
            )
        case _:
            raise TypeError(f"{node!r} is not a search node")


def _targets(chain: Chain, entry: Entry, world: World) -> Iterator[Record]:
    """Yield the records of the chain's type that a reference points at."""
    if not isinstance(entry.v, str):
        return
    if chain.canonical:
        named = world.referring(chain.type, "url", entry.v)
        yield from (each for each in named if _is_named(each, entry))
    elif (target := world.get(entry.v)) and target.key.type == chain.type:
        yield target


def _others(has: Has, record: Record, world: World) -> Iterator[Record]:
    """Yield the records of the type of `has` that refer to a record."""
    refs = {e.v for e in _of(record, "url")} if has.canonical else {str(record.key)}
    for ref in refs:
        if isinstance(ref, str):
            for other in world.referring(has.type, has.param, ref):
                found = (e for e in _of(other, has.param) if e.v == ref)
                if any(not has.canonical or _is_named(record, e) for e in found):
                    yield other


def _is_named(record: Record, canonical: Entry) -> bool:
    """Tell whether a canonical is a record's URL, and its version if it names one."""
    return any(e.v == canonical.v for e in _of(record, "url")) and (
        canonical.w == "" or any(e.v == canonical.w for e in _of(record, "version"))
    )


def _of(record: Record, param: str) -> Iterable[Entry]:
    return (e for e in record.entries if e.param == param and not e.path)


def _metres(entry: Entry, place: Near) -> int:
    return distance(float(entry.v), float(entry.w), place.latitude, place.longitude)


def _together(record: Record, param: str, parts: Sequence[Sequence[Cond]], now: int) -> bool:
    groups = [
        {e.group for e in _of(record, f"{param}.{place}") if _meets(e, conds, now)}
        for place, conds in enumerate(parts)
    ]
    return bool(groups) and bool(set.intersection(*groups))


def _rows(node: OneOf, record: Record) -> Iterable[Sequence[Value]]:
    """Yield the rows of which many alternatives of one kind are asked (`search.oneof`)."""
    match node.kind:
        case "text", _:
            return (record.text,)
        case "updated", _:
            return ((record.updated,),)
        case "near", (param,):
            return ((e.v, e.w) for e in _of(record, param))
        case word, params:
            parts = product(*(_of(record, param) for param in params))
            return (
                tuple(chain(*((e.v, e.w, e.u) for e in some)))
                for some in parts
                if word != "together" or len({e.group for e in some}) == 1
            )


def _meets(entry: Entry, conds: Iterable[Cond], now: int) -> bool:
    return all(
        TESTS[op](getattr(entry, column), now if isinstance(value, Now) else value)
        for column, op, value in conds
    )
