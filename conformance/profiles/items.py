"""Items: the values of an element in the object that has it.

https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.definitions import Element

Json = dict[str, Any]


class Item(NamedTuple):
    """One value: `path` leads to it from the object; `extra` stands beside a primitive."""

    path: str
    value: Any
    extra: Any
    type: str


class Around(NamedTuple):
    """What is around an object: the resource, and how its references are followed."""

    resource: Json
    resolve: Callable[[str], Json | None]


def items_of(parent: Any, element: Element) -> list[Item]:
    """The items of an element in an object, in order."""
    found: list[Item] = []
    if parent.__class__ is not dict:
        return found
    for key, type_name in element.properties():
        value, extra = parent.get(key), parent.get("_" + key)
        if value is None and extra is None:
            continue
        path = f".{element.name}.ofType({type_name})" if element.choice else f".{element.name}"
        if value.__class__ is list or extra.__class__ is list:
            found += _of_arrays(path, value, extra, type_name)
        else:
            found.append(Item(path, value, extra, type_name))
    return [_with_own_type(each) for each in found]


def _of_arrays(path: str, values: Any, extras: Any, type_name: str) -> list[Item]:
    values = values if values.__class__ is list else []
    extras = extras if extras.__class__ is list else []
    count = max(len(values), len(extras))
    return [
        Item(f"{path}[{index}]", _at(values, index), _at(extras, index), type_name)
        for index in range(count)
    ]


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _with_own_type(item: Item) -> Item:
    """A resource is of the type that it says."""
    if item.type not in ("Resource", "DomainResource") or item.value.__class__ is not dict:
        return item
    return item._replace(type=str(item.value.get("resourceType")))
