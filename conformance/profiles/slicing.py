"""Slicing: each item goes to the slice that it matches, and meets what that slice asks.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from conformance.definitions import Definitions
from conformance.profiles import values
from conformance.profiles.catalog import Catalog
from conformance.profiles.discriminators import (
    Match,
    defined_at,
    profiles,
    steps_of,
    types,
    walker,
)
from conformance.profiles.items import Around, Item, items_of
from conformance.snapshot import Node, unfold
from conformance.validation.bindings import has_coding, is_among
from conformance.validation.faults import Fault, Faults, fault, under

Json = dict[str, Any]
Conforms = Callable[[Any, str, Around], bool]
Test = Callable[[Item], bool]


PAST_END = "found an item of a slice after one of none, where only the end is open"


class Slice(NamedTuple):
    """A slice; `match` is None where nothing tells which items are its own."""

    name: str
    element: Json
    match: Match | None
    item_check: Callable[[Item, Around], Faults] | None
    nested: Callable[[list[Item], Around], list[Fault]] | None


def sliced(
    name: str, slicing: Json, slices: list[Slice]
) -> Callable[[list[Item], Around], list[Fault]]:
    """The check of all items of a sliced element."""
    known = [each for each in slices if each.match is not None]
    rules = slicing.get("rules", "open")
    is_ordered = slicing.get("ordered", False)

    def check(items: list[Item], around: Around) -> list[Fault]:
        own: dict[str, list[Item]] = {each.name: [] for each in known}
        found: list[Fault] = []
        last, is_past = 0, False
        for item in items:
            place = _place(known, item, around)
            if place is None:
                found += _unmatched(item, rules, len(known) == len(slices))
                is_past = True
                continue
            if is_past and rules == "openAtEnd":
                found += under(item.path, fault("structure", PAST_END))
            if is_ordered and place < last:
                text = f"found slice {known[place].name} after {known[last].name}"
                found += under(item.path, fault("structure", text))
            last = max(last, place)
            own[known[place].name].append(item)
        for each in known:
            found += _of_slice(name, each, own[each.name], around)
        return found

    return check


def _place(slices: list[Slice], item: Item, around: Around) -> int | None:
    for place, each in enumerate(slices):
        if each.match is not None and each.match(item, around):
            return place
    return None


def _unmatched(item: Item, rules: str, is_sure: bool) -> list[Fault]:
    if rules != "closed" or not is_sure:
        return []
    return under(
        item.path, fault("structure", "found an item of no slice, where slicing is closed")
    )


def _of_slice(name: str, each: Slice, items: list[Item], around: Around) -> list[Fault]:
    found: list[Fault] = []
    least, most = each.element.get("min", 0), str(each.element.get("max", "*"))
    if len(items) < least:
        text = f"found {len(items) or 'no'} {name} of slice {each.name}, expected at least {least}"
        found += fault("required", text)
    if most != "*" and len(items) > int(most):
        text = f"found {len(items)} {name} of slice {each.name}, expected {most}"
        found += under(items[int(most)].path, fault("structure", text))
    for item in items:
        given = each.item_check(item, around) if each.item_check else None
        found += under(item.path, given) if given else []
    return found + each.nested(items, around) if each.nested else found


def matcher(
    node: Node,
    slicing: Json,
    definitions: Definitions,
    catalog: Catalog,
    conforms: Conforms,
) -> Match | None:
    """What tells whether an item belongs to a slice; None where the slice does not say."""
    tests: list[Match] = []
    for discriminator in slicing.get("discriminator", ()):
        steps = steps_of(discriminator["path"])
        defined = defined_at(node, steps, catalog)
        test = defined and _test(discriminator["type"], defined, definitions, catalog, conforms)
        if test:
            tests.append(_somewhere(walker(steps, definitions), test))
    if not tests:
        return None
    return lambda item, around: all(test(item, around) for test in tests)


ListTest = Callable[[list[Item], Around], bool]


def _somewhere(walk: Callable[..., list[Item]], test: ListTest) -> Match:
    return lambda item, around: test(walk([item], around), around)


def _test(
    kind: str, node: Node, definitions: Definitions, catalog: Catalog, conforms: Conforms
) -> ListTest | None:
    match kind:
        case "exists":
            is_there = node.element.get("max") != "0"
            return lambda items, _: bool(items) is is_there
        case "type":
            names = frozenset(types(node))
            return lambda items, _: any(item.type in names for item in items)
        case "profile":
            urls = profiles(node)
            return lambda items, around: any(
                conforms(item.value, url, around)
                for item in items
                for url in urls
                if item.value.__class__ is dict
            )
        case _:
            criterion = criterion_of(node, definitions, catalog)
            return None if criterion is None else _any_is(criterion)


def _any_is(test: Test) -> ListTest:
    return lambda items, _: any(test(item) for item in items)


def criterion_of(node: Node, definitions: Definitions, catalog: Catalog) -> Test | None:
    """What the value of an element must be, by what is fixed in it; None where nothing is.

    That is its fixed value or pattern, those of the elements in it, or a required value set.
    """
    if (fixed := values.stated(node.element, "fixed")) is not None:
        return lambda item: values.is_equal(item.value, fixed)
    if (pattern := values.stated(node.element, "pattern")) is not None:
        return lambda item: values.meets(item.value, pattern)
    binding = node.element.get("binding", {})
    inside = _inside(node, definitions, catalog)
    if inside is not None:
        return inside
    if binding.get("strength") == "required" and "valueSet" in binding:
        return _of_value_set(catalog.codes(binding["valueSet"]))
    return None


def _inside(node: Node, definitions: Definitions, catalog: Catalog) -> Test | None:
    kinds = types(node)
    if len(kinds) != 1 or kinds[0] not in definitions.types:
        return None
    if not node.children and profiles(node):
        unfold(node, catalog.structure)
    known = definitions.elements(kinds[0])
    tests: list[Test] = []
    for child in node.children.values():
        base = known.get(child.name.removesuffix("[x]"))
        among = [each for each in (child, *child.slices.values()) if each.element.get("min")]
        for each in among if base else ():
            if test := criterion_of(each, definitions, catalog):
                tests.append(_in_member(base, test))
    return (lambda item: all(test(item) for test in tests)) if tests else None


def _in_member(base: Any, test: Test) -> Test:
    return lambda item: any(test(each) for each in items_of(item.value, base))


def _of_value_set(codes: Mapping[str, frozenset[str]]) -> Test | None:
    if not codes:
        return None
    every = frozenset(code for each in codes.values() for code in each)

    def test(item: Item) -> bool:
        if item.value.__class__ is not dict:
            return item.value in every
        return is_among(item.value, codes) or has_coding(item.value, codes)

    return test
