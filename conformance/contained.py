"""Contained resources, and the references that lead to them.

https://hl7.org/fhir/R4/references.html#contained
"""

from typing import Any

from conformance.faults import Fault, Faults, fault

Json = dict[str, Any]


def check_contained(value: Any, found: Faults) -> Faults:
    """Adds that a resource inside another has an id."""
    if value.__class__ is not dict or "id" in value:
        return found
    return (found or []) + fault("required", "found no id, expected one to refer to")


def settle(resource: Json, found: list[Fault]) -> list[Fault]:
    """Resolve the local references among the faults; what remains is wrong.

    Adds the rules of the container: dom-2 to dom-5, and that no id stands twice.
    """
    contained = contained_in(resource)
    ids = [id_ for _, each in contained if (id_ := each.get("id")).__class__ is str]
    local = [each for each in found if each.local]
    faults = [each for each in found if not each.local]
    faults += [
        each._replace(local="")
        for each in local
        if each.text and each.local != "#" and each.local[1:] not in ids
    ]
    for place, each in contained:
        faults += rules_of(each)
        id_ = each.get("id")
        if id_.__class__ is str:
            faults += linking(place, id_, ids, local)
    return faults


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


def linking(place: str, id_: str, ids: list[str], local: list[Fault]) -> list[Fault]:
    """Whether the id of a contained resource is its own, and something leads to or from it."""
    if ids.count(id_) > 1:
        text = f'found the id "{id_}" more than once, expected it once'
        return [Fault(place, "invariant", text)]
    for each in local:
        is_inside = each.path.startswith(place + ".")
        if (is_inside and each.local == "#") or (not is_inside and each.local[1:] == id_):
            return []
    text = f'found no reference to "#{id_}", expected one, or one from it to "#" (dom-3)'
    return [Fault(place, "invariant", text)]
