"""Discriminators: to which slice an item belongs.

https://hl7.org/fhir/R4/profiling.html#discriminator
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.definitions import Definitions
from conformance.profiles.catalog import Catalog
from conformance.profiles.items import Around, Item, items_of
from conformance.snapshot import Node, unfold

Json = dict[str, Any]
Match = Callable[[Item, Around], bool]
Walk = Callable[[list[Item], Around], list[Item]]

_STEP = re.compile(
    r"\$this|resolve\(\)|ofType\((?P<type>[\w.]+)\)|extension\(['\"](?P<url>[^'\"]+)['\"]\)"
    r"|(?P<name>[A-Za-z]\w*)(?:\[x\])?"
)


class Step(NamedTuple):
    """One step of a discriminator's path, in one of its forms."""

    kind: str
    text: str


def steps_of(path: str) -> list[Step]:
    """The steps of a path, from the restricted subset of FHIRPath that is allowed.

    >>> steps_of("resolve().value.ofType(Quantity)")[1:]
    [Step(kind='name', text='value'), Step(kind='type', text='Quantity')]
    """
    found = []
    for match in _STEP.finditer(path):
        if match["type"]:
            found.append(Step("type", match["type"].removeprefix("FHIR.")))
        elif match["url"]:
            found.append(Step("extension", match["url"]))
        elif match["name"]:
            found.append(Step("name", match["name"]))
        elif match.group() == "resolve()":
            found.append(Step("resolve", ""))
    return found


def walker(steps: list[Step], definitions: Definitions) -> Walk:
    """What finds the items at a path."""

    def walk(items: list[Item], around: Around) -> list[Item]:
        for step in steps:
            items = [found for item in items for found in _next(item, step, definitions, around)]
        return items

    return walk


def _next(item: Item, step: Step, definitions: Definitions, around: Around) -> list[Item]:
    match step.kind:
        case "type":
            return [item] if item.type == step.text else []
        case "resolve":
            return _resolved(item, around)
        case "extension":
            name = "extension"
        case _:
            name = step.text
    source = item.value if item.value.__class__ is dict else item.extra
    known = definitions.elements(item.type) if item.type in definitions.types else {}
    if name not in known:
        return []
    found = items_of(source, known[name])
    if step.kind != "extension":
        return found
    return [each for each in found if _get(each.value, "url") == step.text]


def _get(value: Any, key: str) -> Any:
    return value.get(key) if value.__class__ is dict else None


def _resolved(item: Item, around: Around) -> list[Item]:
    """What a reference leads to; where that is not at hand, an item that has only its type."""
    literal = _get(item.value, "reference")
    target = around.resolve(literal) if literal.__class__ is str else None
    if target is not None:
        return [Item("", target, None, str(target.get("resourceType")))]
    stated = target_type(item.value)
    return [Item("", None, None, stated)] if stated else []


_LITERAL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?$")


def target_type(reference: Any) -> str:
    """The resource type that a reference tells, by its literal or its type; '' for none."""
    literal, stated = _get(reference, "reference"), _get(reference, "type")
    found = _LITERAL.search(literal) if literal.__class__ is str else None
    if found:
        return found[1]
    return stated if stated.__class__ is str else ""


def defined_at(node: Node, steps: list[Step], catalog: Catalog) -> Node | None:
    """The element of a slice that stands at a path; None where the slice says nothing there."""
    found: Node | None = node
    for step in steps:
        if found is None:
            return None
        found = _defined(found, step, catalog)
    return found


def _defined(node: Node, step: Step, catalog: Catalog) -> Node | None:
    if step.kind == "type":
        fitting = [each for each in node.slices.values() if step.text in types(each)]
        return fitting[0] if fitting else node
    if step.kind == "resolve":
        return _target(node, catalog)
    unfold(node, catalog.structure)
    if step.kind == "extension":
        extensions = node.children.get("extension")
        among = extensions.slices.values() if extensions else ()
        return next((each for each in among if step.text in profiles(each)), None)
    return node.children.get(step.text) or node.children.get(f"{step.text}[x]")


def _target(node: Node, catalog: Catalog) -> Node | None:
    targets = [
        url for kind in node.element.get("type", ()) for url in kind.get("targetProfile", ())
    ]
    if len(targets) != 1:
        return Node("", {"type": [_of_profile(url, catalog) for url in targets]})
    structure = catalog.structure(targets[0])
    if structure is None:
        return None
    root = catalog.tree(structure)
    root.element = {**root.element, "type": [_of_profile(targets[0], catalog)]}
    return root


def _of_profile(url: str, catalog: Catalog) -> Json:
    structure = catalog.structure(url)
    return {"code": structure["type"] if structure else url.rpartition("/")[2], "profile": [url]}


def types(node: Node) -> list[str]:
    """The names of an element's types."""
    return [kind["code"] for kind in node.element.get("type", ())]


def profiles(node: Node) -> list[str]:
    """The profiles that an element's types must meet one of."""
    return [url for kind in node.element.get("type", ()) for url in kind.get("profile", ())]
