"""The living records of a store in memory, with what they are found by."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fhir_server.model import Entry, Key, Text, Version
from fhir_server.search.evaluate import Record
from fhir_server.search.tree import And, Cond, Ids, InPatient, Match, Node


@dataclass(frozen=True, slots=True)
class Held:
    """A latest, living version with its entries, and its place in the order."""

    number: int
    patient: int
    version: Version
    entries: tuple[Entry, ...]
    text: Text

    @property
    def key(self) -> Key:
        """The record's key."""
        return self.version.key

    @property
    def updated(self) -> int:
        """When the version was made, in milliseconds since 1970."""
        return self.version.updated

    @property
    def patients(self) -> tuple[str, ...]:
        """The ids of the patients whom the record is about."""
        return self.version.patients


Shelf = dict[Key, Held]


class Living:
    """The living records and three ways to them; a `World` for joins."""

    def __init__(self) -> None:
        """Start empty."""
        self.types: dict[str, Shelf] = defaultdict(dict)
        self._patients: dict[tuple[str, str], Shelf] = defaultdict(dict)
        self._values: dict[tuple[str, str, object], Shelf] = defaultdict(dict)

    def put(self, record: Held) -> None:
        """Take a record in."""
        for shelf in self._shelves(record):
            shelf[record.key] = record

    def remove(self, key: Key) -> None:
        """Forget a record, if it is there."""
        record = self.types[key.type].get(key)
        for shelf in self._shelves(record) if record else ():
            shelf.pop(key, None)

    def _shelves(self, record: Held) -> Iterable[Shelf]:
        type = record.key.type
        yield self.types[type]
        yield from (self._patients[type, patient] for patient in record.patients)
        yield from (self._values[type, e.param, e.v] for e in record.entries if not e.path)

    def get(self, ref: str, /) -> Record | None:
        """Return the record that a reference names."""
        type, _, id = ref.partition("/")
        return self.types.get(type, {}).get(Key(type, id))

    def about(self, type: str, patient: str, /) -> Iterable[Record]:
        """Return the records of a type that are about a patient."""
        return self._patients.get((type, patient), {}).values()

    def referring(self, type: str, param: str, ref: str, /) -> Iterable[Record]:
        """Return the records of a type that refer to `ref` by a parameter."""
        return self._values.get((type, param, ref), {}).values()

    def candidates(self, type: str, where: Node) -> Shelf:
        """Return the smallest shelf that holds every record of the type that satisfies `where`."""
        shelves = [self.types.get(type, {})]
        for node in where.nodes if isinstance(where, And) else (where,):
            match node:
                case Ids(ids):
                    keys = (Key(type, id) for id in ids)
                    shelves.append({k: shelves[0][k] for k in keys if k in shelves[0]})
                case InPatient(patient):
                    shelves.append(self._patients.get((type, patient), {}))
                case Match(param, conds):
                    for values in _listed(conds):
                        named = (self._values.get((type, param, v), {}) for v in values)
                        shelves.append({k: r for shelf in named for k, r in shelf.items()})
                case _:
                    pass
        return min(shelves, key=len)


def _listed(conds: Iterable[Cond]) -> Iterable[tuple[object, ...]]:
    """Yield the values that `v` may have, for each condition that lists them."""
    for column, op, value in conds:
        if column == "v" and op in ("=", "in"):
            yield value if isinstance(value, tuple) else (value,)
