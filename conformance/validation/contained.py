"""Contained resources, and the references that lead to them.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from conformance.validation.faults import Fault, Faults, fault

Json = dict[str, Any]


def check_contained(value: Any, found: Faults) -> Faults:
    """Adds that a resource inside another has an id."""
    if value.__class__ is not dict or not value or "id" in value:
        return found
    return (found or []) + fault("required", "found no id, expected one to refer to")


def settle(
    resource: Json, found: list[Fault], place_of: Callable[[Json, Fault], list[Fault]]
) -> list[Fault]:
    """Settle the faults that wait for the resource around; what remains is wrong.

    Adds the rules of the container: dom-2 to dom-5, and that no id stands twice.
    """
    contained = contained_in(resource)
    ids = Counter(id_ for _, each in contained if (id_ := each.get("id")).__class__ is str)
    faults = [each for each in found if not each.pending]
    for each in found:
        if each.pending and each.pending[0] != "#":
            faults += place_of(resource, each)
    sources: dict[str, set[str]] = {}  # where each local reference comes from
    for each in found:
        if each.pending[:1] == "#":
            target = each.pending[1:]
            sources.setdefault(target, set()).add(inside(each.path))
            if each.text and target and target not in ids:
                faults.append(each._replace(pending=""))
    for place, resource_inside in contained:
        faults += rules_of(resource_inside)
        id_ = resource_inside.get("id")
        if id_.__class__ is str:
            faults += linking(place, id_, ids, sources)
    return faults


def inside(path: str) -> str:
    """The contained resource that a path leads into, `.contained[0]`; elsewhere, nothing."""
    return path.partition("]")[0] + "]" if path.startswith(".contained[") else ""


def contained_in(resource: Json) -> list[tuple[str, Json]]:
    """The contained resources, each with its place."""
    among = resource.get("contained")
    items = among if among.__class__ is list else []
    return [
        (f".contained[{index}]", each)
        for index, each in enumerate(items or ())
        if each.__class__ is dict
    ]


def rules_of(contained: Json) -> list[Fault]:
    """What no resource inside another may have; faults of the container."""
    faults = []
    if "contained" in contained:
        faults += fault("invariant", "found a contained resource inside another (dom-2)")
    meta = contained.get("meta")
    if meta.__class__ is dict and meta:
        if "versionId" in meta or "lastUpdated" in meta:
            text = "found a version in a contained resource, expected none (dom-4)"
            faults += fault("invariant", text)
        if "security" in meta:
            text = "found a security label in a contained resource, expected none (dom-5)"
            faults += fault("invariant", text)
    return faults


def linking(place: str, id_: str, ids: Counter[str], sources: dict[str, set[str]]) -> list[Fault]:
    """Whether the id of a contained resource is its own, and something leads to or from it."""
    if ids[id_] > 1:
        text = f'found the id "{id_}" more than once, expected it once'
        return [Fault(place, "invariant", text)]
    if sources.get(id_, set()) - {place} or place in sources.get("", ()):
        return []
    text = f'found no reference to "#{id_}", expected one, or one from it to "#" (dom-3)'
    return [Fault(place, "invariant", text)]
