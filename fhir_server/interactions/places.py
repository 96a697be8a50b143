"""Places: where in a resource a FHIRPath expression leads, so that what is there can be changed.

https://hl7.org/fhir/R4/fhirpatch.html

A node of FHIRPath does not know where it comes from. So the resource is copied with a mark beside
every primitive (an object `_name`, where extensions would stand): objects and marks are told apart
by identity, and so lead back to their place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.definitions import Definitions, Element
from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.compiler import Compiler
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import Environment
from conformance.fhirpath.parser import parse
from conformance.fhirpath.tree import Binary, Call, Index, Member, Sign, Tree, TypeTest
from fhir_server.errors import BadRequest, Unprocessable

_LONGEST = 1000
_FUNCTIONS = frozenset({
    "all", "allTrue", "as", "contains", "count", "empty", "endsWith", "exists", "extension",
    "first", "hasValue", "iif", "is", "last", "length", "lower", "not", "ofType", "single", "skip",
    "startsWith", "tail", "take", "upper", "where",
})  # fmt: skip
"""Functions that a path may call: they choose among elements, at a cost that is bounded."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One element: `owner[name]`, or `owner[name][index]` in a list; `type` is the owner's type."""

    owner: Json
    type: str
    name: str
    index: int | None


def marked(value: Any) -> Any:
    """Return a copy with a mark beside every primitive.

    >>> marked({"resourceType": "Basic", "id": "1"})
    {'resourceType': 'Basic', 'id': '1', '_id': {}}
    """
    if isinstance(value, list):
        return [marked(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: marked(each) for name, each in value.items()}
    for name, each in list(made.items()):
        if name == "resourceType" or name.startswith("_") or isinstance(each, dict):
            continue
        if isinstance(each, list):
            _mark_list(made, name, each)
        elif not isinstance(made.get("_" + name), dict):
            made["_" + name] = {}
    return made


def _mark_list(owner: Json, name: str, values: list[Any]) -> None:
    if any(isinstance(each, dict | list) for each in values):
        return
    beside = owner.get("_" + name)
    marks = beside if isinstance(beside, list) else []
    longest = max(len(values), len(marks))
    values += [None] * (longest - len(values))
    marks += [None] * (longest - len(marks))
    owner["_" + name] = [each if isinstance(each, dict) else {} for each in marks]


def unmarked(value: Any) -> Any:
    """Return a copy without marks, and without objects and lists that have become empty.

    >>> unmarked({"resourceType": "Basic", "id": "1", "_id": {}, "code": {"coding": [{}]}})
    {'resourceType': 'Basic', 'id': '1'}
    """
    if isinstance(value, list):
        return [kept for each in value if (kept := unmarked(each)) != {}]
    if not isinstance(value, dict):
        return value
    made: Json = {}
    for name, each in value.items():
        kept = _marks(each) if name.startswith("_") else unmarked(each)
        if kept not in ({}, []):
            made[name] = kept
    return made


def _marks(value: Any) -> Any:
    """Return what stands beside primitives, empty if that is nothing but marks."""
    if not isinstance(value, list):
        return unmarked(value)
    kept = [unmarked(each) or None for each in value]
    return kept if any(kept) else []


class Places:
    """The places of one marked resource."""

    def __init__(self, definitions: Definitions, root: Json) -> None:
        """Take a resource that `marked` made; changes are made to it."""
        self.definitions = definitions
        self.root = root
        self.type = str(root["resourceType"])

    def owners(self, path: str) -> list[tuple[str, Json]]:
        """Return what a path finds, as (type, object); of a primitive the object beside it.

        Raises `BadRequest` for what is no path, `Unprocessable` where evaluation fails.
        """
        return self._found(parsed(path), path)

    def listed(self, path: str) -> Place:
        """Return the list that a path leads to, as the place of its first element.

        Raises `Unprocessable` where it leads to elements of several lists.
        """
        tree = parsed(path)
        found = self._found(tree, path)
        if found:
            places = [self.place(each, path) for _, each in found]
            first = places[0]
            if any(each.owner is not first.owner or each.name != first.name for each in places):
                raise Unprocessable(f"{path} leads to more than one list.")
            return first
        if isinstance(tree, Member):
            base = self._found(tree.base, path) if tree.base else [(self.type, self.root)]
            if len(base) == 1:
                return Place(base[0][1], base[0][0], tree.name, 0)
        raise Unprocessable(f"{path} leads to no list.")

    def place(self, sought: Json, path: str) -> Place:
        """Return the place of an object or a mark that `owners` found. Raises `Unprocessable`."""
        for place, value in _walk(self.definitions, self.type, self.root):
            if value is sought:
                return place
        raise Unprocessable(f"{path} leads to no element that could be changed.")

    def element(self, type: str, name: str) -> Element:
        """Return the element of a type by its name or by a JSON property. Raises `Unprocessable`.

        https://hl7.org/fhir/R4/fhirpatch.html: "name: The name of the element to be added."
        """
        bare = name.removesuffix("[x]")
        known = self.definitions.elements(type) if type in self.definitions.types else {}
        for element in known.values():
            if bare == element.name or any(bare == prop for prop, _ in element.properties()):
                return element
        raise Unprocessable(f"{type} has no element {name[:64]!r}.")

    def _found(self, tree: Tree, path: str) -> list[tuple[str, Json]]:
        try:
            focus = frozenset((self.type,))
            run = Compiler(Model(self.definitions)).compile(tree, focus, at_root=True).run
            nodes = run(Environment(self.root), [(self.type, self.root, None)])
        except (FHIRPathError, RecursionError) as fault:
            raise Unprocessable(f"{path[:200]}: {fault}") from None
        found = [(type, value if isinstance(value, dict) else mark) for type, value, mark in nodes]
        if not all(isinstance(each, dict) for _, each in found):
            raise Unprocessable(f"{path[:200]} computes a value; it must lead to an element.")
        return found


def parsed(path: str) -> Tree:
    """Return the tree of a path. Raises `BadRequest` for other functions than may be called."""
    if len(path) > _LONGEST:
        raise BadRequest(f"A path has at most {_LONGEST} characters.")
    try:
        tree = parse(path)
    except (FHIRPathError, RecursionError) as fault:
        raise BadRequest(f"{path[:200]!r} is not FHIRPath: {fault}") from None
    for each in _inside(tree):
        if isinstance(each, Call) and each.name not in _FUNCTIONS:
            raise BadRequest(f"The path of a patch does not call {each.name}().")
    return tree


def _inside(tree: Tree | None) -> Iterator[Tree]:
    """Yield a tree and all that it is made of."""
    if tree is None:
        return
    yield tree
    match tree:
        case Member(base):
            yield from _inside(base)
        case Call(base, _, arguments):
            yield from _inside(base)
            for each in arguments:
                yield from _inside(each)
        case Index(base, index):
            yield from _inside(base)
            yield from _inside(index)
        case Sign(_, operand) | TypeTest(_, operand):
            yield from _inside(operand)
        case Binary(_, left, right):
            yield from _inside(left)
            yield from _inside(right)
        case _:
            return


def _walk(definitions: Definitions, type: str, owner: Json) -> Iterator[tuple[Place, Any]]:
    """Yield the place of every object and mark inside, from the outside inwards."""
    known = definitions.elements(type) if type in definitions.types else {}
    types = {prop: kind for each in known.values() for prop, kind in each.properties()}
    for key, value in owner.items():
        name = key.removeprefix("_")
        for index, each in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(each, dict):
                continue
            yield Place(owner, type, name, index if isinstance(value, list) else None), each
            inner = str(each["resourceType"]) if "resourceType" in each else types.get(name, "")
            yield from _walk(definitions, "Element" if key.startswith("_") else inner, each)
