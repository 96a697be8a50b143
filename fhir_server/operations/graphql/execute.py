"""A plan is carried out: level by level, so that what a level needs is read together.

https://hl7.org/fhir/R4/graphql.html

1. Objects are walked as far as they are at hand; what has to be read waits.
2. What waits is read together, then walked; and so on, until nothing waits.
3. A reference that leads nowhere is an error, unless it is `optional`; one to a hidden record is
   the same as one to an absent record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.expression import Expression, evaluated
from conformance.fhirpath.nodes import Environment
from fhir_server.errors import BadRequest, TooCostly
from fhir_server.interactions.routes import ID
from fhir_server.model import Key
from fhir_server.operations.graphql.arguments import texts
from fhir_server.operations.graphql.errors import Path, Problem
from fhir_server.operations.graphql.items import has, items
from fhir_server.operations.graphql.loads import Json, Loads, Wanted, wanted
from fhir_server.operations.graphql.output import Object, Sliced, Slot
from fhir_server.operations.graphql.schema import Found, Schema, named
from fhir_server.operations.graphql.selection import Field, Selection
from fhir_server.search.reference import taken_apart

MOST_OBJECTS = 100_000


class _At(NamedTuple):
    """Where the walk is: the answer's path, and the resource around."""

    path: Path
    resource: Json


class _Wait(NamedTuple):
    """A field that waits for records; `key` is what it reads, or the record that it belongs to."""

    found: Found
    field: Field
    selection: Selection
    key: Key | None
    at: _At
    slot: Slot


@dataclass(slots=True)
class Execution:
    """One query on its way."""

    schema: Schema
    loads: Loads
    base: str
    problems: list[Problem] = field(default_factory=list)
    objects: int = 0
    _waiting: list[_Wait] = field(default_factory=list)
    _merged: dict[tuple[int, str], list[tuple[Field, Selection]]] = field(default_factory=dict)

    async def run(self, type: str, node: Json, selection: Selection) -> Object:
        """Return what is selected of an object of a type."""
        root = self._object(type, node, selection, _At((), node))
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            await self._read([each for each in waiting if each.found.kind in ("one", "target")])
            await self._search([each for each in waiting if each.found.kind == "list"])
            for each in waiting:
                if each.found.kind == "connection":
                    await self._connect(each)
        return root

    # Walking

    def _object(self, type: str, node: Json, selection: Selection, at: _At) -> Object:
        self.objects += 1
        if self.objects > MOST_OBJECTS:
            raise TooCostly(f"The answer has more than {MOST_OBJECTS} objects; ask for less.")
        made = Object()
        for each, below in self._fields(selection, type):
            here = _At((*at.path, each.key), at.resource)
            made.fields.append((each, self._value(type, node, each, below, here)))
        return made

    def _fields(self, selection: Selection, type: str) -> list[tuple[Field, Selection]]:
        """Return the fields of objects of a type, each key once, with all selected below it."""
        key = (id(selection), type)
        if key not in self._merged:
            of: dict[str, tuple[Field, Selection]] = {}
            for on, each in selection:
                if all(self.schema.fits(type, condition) for condition in on):
                    known = of.get(each.key)
                    of[each.key] = (
                        (known[0], known[1] + each.chosen)
                        if known
                        else (
                            each,
                            each.chosen,
                        )
                    )
            self._merged[key] = list(of.values())
        return self._merged[key]

    def _value(self, type: str, node: Json, asked: Field, below: Selection, at: _At) -> Any:
        if asked.name == "__typename":
            return named(type)
        found = self.schema.field(type, asked.name)
        match found:
            case Found("element"):
                return self._element(found, node, asked, below, at)
            case Found("type"):
                return type
            case Found("target"):
                return self._target(found, node, asked, below, at)
            case Found("one"):
                return self._wait(found, asked, below, _key(found.resource, asked), at)
            case Found():
                owner = Key(type, str(node.get("id"))) if self.schema.is_resource(type) else None
                return self._wait(found, asked, below, owner, at)
        return None

    def _element(self, found: Found, node: Json, asked: Field, below: Selection, at: _At) -> Any:
        every = list(items(found, node))
        if found.many and asked.arguments:
            every = self._filtered(every, asked, at)
        if asked.first:
            every = every[:1]
        single = not found.many or asked.first
        made = []
        for place, (kind, value) in enumerate(every):
            path = at.path if single else (*at.path, place)
            each = self._complete(kind, value, asked, below, _At(path, at.resource))
            made.append(Sliced(self._suffix(place, kind, value, asked, at), each))
        if not asked.sliced:
            plain = [each.value for each in made]
            return next(iter(plain), None) if single else plain
        return made

    def _complete(self, kind: str, value: Any, asked: Field, below: Selection, at: _At) -> Any:
        if not below:
            return value
        if self.schema.is_scalar(kind):
            return self._object(kind, {"value": value}, below, at)
        if not isinstance(value, dict):
            return None
        if "resourceType" in value and self.schema.is_resource(kind):
            # What a contained resource refers to with # lies in what contains it.
            around = at.resource if asked.name == "contained" else value
            return self._object(str(value["resourceType"]), value, below, _At(at.path, around))
        return self._object(kind, value, below, at)

    def _filtered(
        self, every: list[tuple[str, Any]], asked: Field, at: _At
    ) -> list[tuple[str, Any]]:
        given = dict(asked.arguments)
        offset, count = given.pop("_offset", 0), given.pop("_count", None)
        given.pop("fhirpath", None)
        left = [
            item
            for item in every
            if has(item[1], given)
            and (asked.where is None or self._holds(asked.where, item, asked, at))
        ]
        return left[offset:] if count is None else left[offset : offset + count]

    def _holds(self, expression: Expression, item: tuple[str, Any], asked: Field, at: _At) -> bool:
        found = self._evaluated(expression, item, asked, at)
        return found[0][1] is not False if len(found) == 1 else bool(found)

    def _suffix(self, place: int, kind: str, value: Any, asked: Field, at: _At) -> str:
        if not asked.sliced or asked.slice is None:
            return str(place)
        found = self._evaluated(asked.slice, (kind, value), asked, at)
        return str(found[0][1]) if found else ""

    def _evaluated(
        self, expression: Expression, item: tuple[str, Any], asked: Field, at: _At
    ) -> list[tuple[str, Any]]:
        try:
            node = (*item, None)
            return evaluated(expression.run, Environment(at.resource), [node])
        except FHIRPathError as fault:
            self._problem(f"fhirpath: {fault}", asked, at)
            return []

    def _target(self, found: Found, node: Json, asked: Field, below: Selection, at: _At) -> Any:
        reference = node.get("reference")
        if not isinstance(reference, str):
            return None
        if reference.startswith("#"):
            return self._contained(reference[1:], asked, below, at)
        type, _, id = taken_apart(reference, self.base)[0].partition("/")
        is_here = self.schema.definitions.is_resource_type(type) and ID.fullmatch(id)
        return self._wait(found, asked, below, Key(type, id) if is_here else None, at)

    def _contained(self, id: str, asked: Field, below: Selection, at: _At) -> Any:
        inside = at.resource.get("contained")
        known = [each for each in inside or () if isinstance(each, dict) and each.get("id") == id]
        found = known[0] if known else None if id else at.resource
        if found is None:
            return self._absent(f"There is no #{id}.", asked, at)
        if not _is_wanted(str(found.get("resourceType")), asked):
            return None
        return self._object(str(found["resourceType"]), found, below, at)

    def _wait(self, found: Found, asked: Field, below: Selection, key: Key | None, at: _At) -> Slot:
        slot = Slot()
        self._waiting.append(_Wait(found, asked, below, key, at, slot))
        return slot

    # Reading

    async def _read(self, waiting: Sequence[_Wait]) -> None:
        there = await self.loads.read({each.key for each in waiting if each.key is not None})
        for each in waiting:
            version = there.get(each.key) if each.key is not None else None
            if version is None:
                self._absent(_missing(each), each.field, each.at)
            elif _is_wanted(version.key.type, each.field):
                resource = self.loads.resource(version)
                at = _At(each.at.path, resource)
                each.slot.value = self._object(version.key.type, resource, each.selection, at)
            await self.loads.breath.take()

    async def _search(self, waiting: Sequence[_Wait]) -> None:
        """Search; fields that differ only in whom they belong to are searched together."""
        alike: dict[Wanted, list[_Wait]] = {}
        for each in waiting:
            search = wanted(self.schema, each.found.resource, each.field.arguments)
            alike.setdefault(search, []).append(each)
        for search, every in alike.items():
            parents = list(dict.fromkeys(each.key for each in every if each.key is not None))
            try:
                found = await self.loads.listed(search, parents)
            except BadRequest as fault:
                for each in every:
                    self._problem(str(fault), each.field, each.at)
                continue
            for each in every:
                each.slot.value = [
                    self._object(version.key.type, resource, each.selection, _At(path, resource))
                    for path, version, resource in self._kept(each, found)
                ]
                await self.loads.breath.take()

    def _kept(self, each: _Wait, found: Any) -> Iterator[tuple[Path, Any, Json]]:
        """Yield what a list has, as far as its argument `fhirpath` keeps it."""
        number = 0
        for version in found.get(each.key if each.field.arguments.get("_reference") else None, ()):
            resource = self.loads.resource(version)
            where = each.field.where
            item = (version.key.type, resource)
            if where is None or self._holds(where, item, each.field, _At(each.at.path, resource)):
                yield (*each.at.path, number), version, resource
                number += 1

    async def _connect(self, each: _Wait) -> None:
        search = wanted(self.schema, each.found.resource, each.field.arguments)
        is_counted = any(chosen.field.name == "count" for chosen in each.selection)
        try:
            node = await self.loads.connection(search, each.key, is_counted)
        except BadRequest as fault:
            self._problem(str(fault), each.field, each.at)
            return
        type = f"{each.found.resource}Connection"
        each.slot.value = self._object(type, node, each.selection, _At(each.at.path, node))
        await self.loads.breath.take()

    def _absent(self, words: str, asked: Field, at: _At) -> None:
        if asked.arguments.get("optional") is not True:
            self._problem(words, asked, at)

    def _problem(self, words: str, asked: Field, at: _At) -> None:
        self.problems.append(Problem(words, asked.place, at.path))


def _key(type: str, asked: Field) -> Key | None:
    id = str(asked.arguments["id"])
    return Key(type, id) if ID.fullmatch(id) else None


def _missing(each: _Wait) -> str:
    return f"There is no {each.key}." if each.key else "The reference is to no record of this hub."


def _is_wanted(type: str, asked: Field) -> bool:
    """Tell whether a field's argument `type`, if it has one, names a type."""
    types = texts(asked.arguments.get("type", []))
    return not types or type in types
