"""Snapshots: a profile's elements in full, from what it says beside its base.

https://hl7.org/fhir/R4/profiling.html#snapshot, https://hl7.org/fhir/R4/elementdefinition.html#id

1. A snapshot is the base's, changed by the differential, element by element, in its order.
2. An id names an element: `Observation.component:systolic.code`. Where a differential has none, its
   path and slice name make one.
3. Where a differential goes deeper than the base, the elements of the type there are put in: those
   of the one profile that it names, if it names one.
4. A slice begins as a copy of what is sliced, but need not be there (min 0).
5. `valueQuantity` stands for the slice of `value[x]` that has this type, and where the differential
   speaks of no other type, `value[x]` has no other.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

Json = dict[str, Any]
Find = Callable[[str], Json | None]  # a StructureDefinition by its URL

CORE = "http://hl7.org/fhir/StructureDefinition/"
MAX_VALUE_SET = CORE + "elementdefinition-maxValueSet"
ADDED_UP = ("constraint", "mapping", "condition", "example", "alias")
BY_TYPE = {"discriminator": [{"type": "type", "path": "$this"}], "ordered": False}
MOST_DEEP = 32


class SnapshotError(ValueError):
    """Says which element of which profile cannot be placed, and why."""


class Node:
    """An element with its children and slices, each in order, by name."""

    __slots__ = ("children", "element", "name", "slices")

    def __init__(self, name: str, element: Json) -> None:
        self.name = name
        self.element = element
        self.children: dict[str, Node] = {}
        self.slices: dict[str, Node] = {}


def snapshot(structure: Json, find: Find) -> list[Json]:
    """The elements of a profile's snapshot: its own where it has one, else generated.

    Raises SnapshotError where a base is not known, or an element cannot be placed.
    """
    own = structure.get("snapshot", {}).get("element")
    return own or flat(tree_of(structure, find))


def tree_of(structure: Json, find: Find, depth: int = 0) -> Node:
    """The elements of a profile as a tree. Raises SnapshotError."""
    if own := structure.get("snapshot", {}).get("element"):
        return tree(own)
    url = structure.get("baseDefinition", "")
    base = find(url.partition("|")[0])
    if base is None or depth > MOST_DEEP:
        raise SnapshotError(f"{structure.get('url')}: its base {url!r} is not known")
    root = tree_of(base, find, depth + 1)
    elements = with_ids(structure.get("differential", {}).get("element", []))
    said = {each["id"].partition(":")[0] for each in elements}
    for element in elements:
        _apply(root, element, find, said, str(structure.get("url")))
    return root


def tree(elements: list[Json]) -> Node:
    """A flat list of elements as a tree, by their ids."""
    first, *others = with_ids(elements)
    root = Node(first["id"], first)
    for element in others:
        node = root
        for name, slice_name in steps(element["id"]):
            node = node.children.setdefault(name, Node(name, element))
            for part in _slice_path(slice_name):
                node = node.slices.setdefault(part, Node(name, element))
        node.element = element
    return root


def steps(id_: str) -> list[tuple[str, str]]:
    """An id without its root, as (name, slice).

    >>> steps("Observation.component:systolic.value[x]")
    [('component', 'systolic'), ('value[x]', '')]
    """
    found = (part.partition(":") for part in id_.split(".")[1:])
    return [(name, slice_name) for name, _, slice_name in found]


def _slice_path(slice_name: str) -> list[str]:
    """The slices to go through: `a/b` is the slice b of the slice a."""
    parts = slice_name.split("/") if slice_name else []
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]


def with_ids(elements: list[Json]) -> list[Json]:
    """Copies of elements that all have ids; where one is missing, path and slice name make it."""
    found = []
    within: dict[str, str] = {}  # path -> id of the last element there
    for element in elements:
        path = element["path"]
        id_ = element.get("id") or ""
        if id_.count(".") != path.count("."):
            parent, _, name = path.rpartition(".")
            id_ = f"{within.get(parent, parent)}.{name}" if parent else name
            if "sliceName" in element:
                id_ += f":{element['sliceName']}"
        within[path] = id_
        found.append({**element, "id": id_})
    return found


def _apply(root: Node, element: Json, find: Find, said: set[str], url: str) -> None:
    """Change a tree by one element of a differential, of whose elements `said` has the ids."""
    node = root
    stem = root.name
    for name, slice_name in steps(element["id"]):
        unfold(node, find)
        child, typed = _child(node, name)
        if child is None:
            raise SnapshotError(f"{url}: {element['id']} is not an element of the base")
        if typed and not slice_name and _is_alone(f"{stem}.{child.name[:-3]}", name, said):
            _narrow(child, child, typed)
            child.element.setdefault("slicing", {**BY_TYPE, "rules": "closed"})
        node, stem = child, f"{stem}.{name}"
        for part in _slice_path(slice_name or typed):
            node = _slice(node, part)
    merge(node.element, element)


def _child(node: Node, name: str) -> tuple[Node | None, str]:
    """The child of that name; `valueQuantity` leads to `value[x]` and the slice of that type."""
    if name in node.children:
        return node.children[name], ""
    for key, child in node.children.items():
        if key.endswith("[x]") and name.startswith(key[:-3]):
            wanted = name[len(key) - 3 :]
            for kind in child.element.get("type", ()):
                if kind["code"][0].upper() + kind["code"][1:] == wanted:
                    return child, name
    return None, ""


def _is_alone(stem: str, name: str, said: set[str]) -> bool:
    """Whether a differential speaks of no other type of a choice."""
    others = (each.removeprefix(stem).partition(".")[0] for each in said if each.startswith(stem))
    return all(stem.rpartition(".")[2] + each == name for each in others)


def _slice(node: Node, name: str) -> Node:
    """The slice of that name, made where it is not there yet."""
    found = node.slices.get(name)
    if found is None:
        found = node.slices[name] = deepcopy(node)
        found.slices = {}
        found.element = {key: value for key, value in found.element.items() if key != "slicing"} | {
            "sliceName": name,
            "min": 0,
        }
        if node.name.endswith("[x]"):
            _narrow(node, found, name)
            node.element.setdefault("slicing", {**BY_TYPE, "rules": "open"})
    return found


def _narrow(choice: Node, found: Node, name: str) -> None:
    """Keep the one type of a choice that the name of a slice tells (`valueQuantity`)."""
    types = choice.element.get("type", [])
    stem = choice.name[:-3]
    kept = [kind for kind in types if stem + kind["code"][0].upper() + kind["code"][1:] == name]
    if kept:
        found.element["type"] = deepcopy(kept)


def unfold(node: Node, find: Find) -> None:
    """Give a node without children those of its type. Leaves it as it is where that is unknown."""
    if node.children:
        return
    kinds = node.element.get("type", ())
    if len({kind["code"] for kind in kinds}) != 1:
        return
    [kind, *_] = kinds
    profiles = kind.get("profile", ())
    url = profiles[0] if len(profiles) == 1 else CORE + kind["code"]
    structure = find(url.partition("|")[0])
    if structure is not None:
        node.children = tree_of(structure, find).children


def merge(element: Json, change: Json) -> None:
    """Change an element as a differential says; what is added up keeps what was there."""
    for key, value in change.items():
        if key in ("id", "path"):
            continue
        if key in ADDED_UP and key in element:
            element[key] = element[key] + [each for each in value if each not in element[key]]
        elif key == "type":
            element[key] = deepcopy(value)
        else:
            element[key] = deepcopy(value)


def flat(root: Node) -> list[Json]:
    """A tree as a list of elements, with their ids and paths."""
    return list(_flat(root, root.name, root.name))


def _flat(node: Node, id_: str, path: str) -> Iterator[Json]:
    yield {**node.element, "id": id_, "path": path}
    for child in node.children.values():
        yield from _flat(child, f"{id_}.{child.name}", f"{path}.{child.name}")
    yield from _flat_slices(node, id_, path)


def _flat_slices(node: Node, id_: str, path: str) -> Iterator[Json]:
    bare = id_.rpartition(".")[0]
    for name, each in node.slices.items():
        yield from _flat(each, f"{bare}.{node.name}:{name}", path)
