"""Mutations: each kind of defect, in each type, is found at its place, and nothing else is.

The examples are made from the definitions: of each resource type the least that is valid, and that
with each of its elements.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from conformance_broken import AT, BROKEN, UNBREAKABLE
from conformance_examples import Json, Maker, hosted, members

from conformance.definitions import Definitions, Element
from conformance.validation.invariants import BEST_PRACTICE, BUILT_IN
from conformance.validator import Validator


class Example(NamedTuple):
    """A valid resource with one element: what holds it, and where it is."""

    resource: Json
    element: Element
    type: str
    key: str
    place: str
    is_primitive: bool

    def changed(self, value: Any) -> Json:
        """A copy with another value under the element's property."""
        return {**copy.deepcopy(self.resource), self.key: value}

    @property
    def first(self) -> Any:
        """The element's only value."""
        held = self.resource[self.key]
        return held[0] if self.element.many else held

    def with_first(self, value: Any) -> Json:
        """A copy with another value of the element."""
        return self.changed([value] if self.element.many else value)

    @property
    def at(self) -> str:
        """The expression of the element's first value."""
        return self.place + "[0]" if self.element.many else self.place


Found = list[tuple[str, str]]
Mutation = Iterator[tuple[Json, tuple[str, str]]]


@pytest.fixture(scope="module")
def maker(definitions: Definitions) -> Maker:
    return Maker(definitions)


@pytest.fixture(scope="module")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions, warnings=False)


@pytest.fixture(scope="module")
def telling(definitions: Definitions) -> Validator:
    """A validator that tells warnings as well."""
    return Validator(definitions)


@pytest.fixture(scope="module")
def examples(maker: Maker, validator: Validator) -> list[Example]:
    """Every element of every resource type in every type it can have, where that is valid."""
    found = []
    for name in sorted(maker.definitions.resource_types):
        for element, kind, resource in members(maker, name):
            key = next(key for key, each in element.properties() if each == kind)
            place = f"{name}.{element.name}" + (f".ofType({kind})" if element.choice else "")
            is_primitive = maker.definitions.types[kind].kind == "primitive-type"
            if not validator.validate(resource):
                found.append(Example(resource, element, kind, key, place, is_primitive))
    return found


def test_least_of_each_type_is_valid(maker: Maker, validator: Validator) -> None:
    names = maker.definitions.resource_types

    assert {name: found for name in names if (found := validator.validate(maker.least(name)))} == {}


def test_nearly_every_element_is_in_an_example(maker: Maker, examples: list[Example]) -> None:
    every = sum(1 for name in maker.definitions.resource_types for _ in members(maker, name))

    assert len(examples) > every * 0.99


def unknown_property(example: Example) -> Mutation:
    yield {**example.resource, "colour": "red"}, ("structure", example.place.partition(".")[0])


def wrong_json_type(example: Example) -> Mutation:
    if example.key != "resourceType":
        wrong: Any = {"colour": "red"} if example.is_primitive else "text"
        yield example.with_first(wrong), ("structure", example.at)


def array_and_single_value(example: Example) -> Mutation:
    other = example.first if example.element.many else [example.first]
    yield example.changed(other), ("structure", example.place)


def null(example: Example) -> Mutation:
    if example.element.min == 0:
        yield example.changed(None), ("structure", example.place)


def emptiness(example: Example) -> Mutation:
    if not example.is_primitive:
        yield example.with_first({}), ("structure", example.at)
    if example.element.many and example.element.min == 0:
        yield example.changed([]), ("structure", example.place)


def required_element_removed(example: Example) -> Mutation:
    if example.element.min:
        lacking = {key: value for key, value in example.resource.items() if key != example.key}
        yield lacking, ("required", example.place.partition(".")[0])


BAD: Json = {
    "date": "2020-13-01",
    "dateTime": "2020-01-01T10:00:00",
    "instant": "2020-01-01",
    "time": "25:00:00",
    "integer": 2**31,
    "unsignedInt": -1,
    "positiveInt": 0,
    "id": "a b",
    "uri": "a b",
    "url": "a b",
    "canonical": "Questionnaire/x",
    "string": "",
    "markdown": "",
    "base64Binary": "a=b",
    "oid": "1.2.3",
    "uuid": "urn:uuid:1",
}


def bad_format(example: Example) -> Mutation:
    if example.type in BAD:
        yield example.with_first(BAD[example.type]), ("value", example.at)


def bad_code(example: Example) -> Mutation:
    if example.element.value_set:
        wrong: Any = "zzz"
        if example.type == "CodeableConcept":
            wrong = {"coding": [{"system": "http://x/c", "code": "zzz"}]}
        elif example.type == "Coding":
            wrong = {"system": "http://x/c", "code": "zzz"}
        yield example.with_first(wrong), ("code-invalid", example.at)


def concept_without_a_code(example: Example) -> Mutation:
    if example.element.value_set and example.type == "CodeableConcept":
        yield example.with_first({"text": "x"}), ("code-invalid", example.at)


def reference_to_another_type(example: Example) -> Mutation:
    targets = example.element.targets.get("Reference")
    if example.type == "Reference" and targets:
        other = next(name for name in ("Binary", "Slot") if name not in targets)
        yield example.with_first({"reference": f"{other}/1"}), ("value", example.at)
        stated = {"reference": f"{targets[0]}/1", "type": other}
        yield example.with_first(stated), ("value", example.at)


def broken_reference(example: Example) -> Mutation:
    if example.type == "Reference":
        yield example.with_first({"reference": "#none"}), ("not-found", example.at)
        yield example.with_first({"reference": "two words"}), ("value", example.at)


def two_values_of_a_choice(example: Example) -> Mutation:
    for key, _ in example.element.properties():
        if key != example.key:
            name = example.place.partition(".")[0]
            other = {"extension": [{"url": "http://x/e", "valueString": "x"}]}
            if key in ("valueString", "valueBoolean"):
                yield {**example.resource, "_" + key: other}, ("structure", name)


def beside_a_primitive(example: Example) -> Mutation:
    if example.is_primitive and not example.element.many:
        for wrong in ({}, "x", {"value": "x"}):
            yield {**example.resource, "_" + example.key: wrong}, ("structure", example.place)


def only_an_id(example: Example) -> Mutation:
    kinds = ("CodeableConcept", "Period", "HumanName", "Address", "Timing")
    if example.type in kinds and not example.element.value_set:
        yield example.with_first({"id": "x"}), ("invariant", example.at)


MUTATIONS: list[Callable[[Example], Mutation]] = [
    unknown_property,
    wrong_json_type,
    array_and_single_value,
    null,
    emptiness,
    required_element_removed,
    bad_format,
    bad_code,
    concept_without_a_code,
    reference_to_another_type,
    broken_reference,
    two_values_of_a_choice,
    beside_a_primitive,
    only_an_id,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_defect_is_found_at_its_place_and_nothing_else_is(
    validator: Validator, examples: list[Example], mutation: Callable[[Example], Mutation]
) -> None:
    others: list[tuple[str, Found]] = []
    count = 0
    for example in examples:
        for resource, expected in mutation(example):
            found = [(each.code, each.expression) for each in validator.validate(resource)]
            count += 1
            if found != [expected]:
                others.append((f"{example.place} {expected}", found))

    assert count
    assert others == []


@pytest.mark.parametrize(
    ("keys", "type_name", "change"), BROKEN, ids=[f"{each[0]}-{each[1]}" for each in BROKEN]
)
def test_broken_invariant_is_found_at_its_place_and_nothing_else_is(
    maker: Maker, telling: Validator, keys: str, type_name: str, change: Json
) -> None:
    host = hosted(maker, type_name, applied(maker.least(type_name), change))
    assert host
    resource, place = host

    found = telling.validate(resource)

    wanted = {f"({key})" for key in keys.split()}
    about = [each for each in found if each.diagnostics.endswith(tuple(wanted))]
    assert {each.diagnostics.rpartition(" ")[2] for each in about} == wanted
    assert place + AT.get(keys, "") in {each.expression for each in about}
    assert [each for each in found if each not in about and each.severity == "error"] == []


def applied(value: Json, change: Json) -> Json:
    """A copy with the change put over it; None takes away, also further down."""
    return without_none({**value, **change})


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_none(each) for each in value]
    return value


def test_every_invariant_has_an_example_that_breaks_it(definitions: Definitions) -> None:
    published = {
        invariant.key
        for each in definitions.types.values()
        for invariants in (each.invariants, *(element.invariants for element in each.own))
        for invariant in invariants
    }
    named = {key for key in published if key.endswith("-0")} - {"csd-0"}  # all say the same
    broken = {key for keys, _, _ in BROKEN for key in keys.split()}

    assert published - broken - UNBREAKABLE.keys() - named == BUILT_IN | BEST_PRACTICE
