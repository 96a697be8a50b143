"""Expansion of value sets. https://hl7.org/fhir/R4/valueset.html#compositions"""

from typing import Any

import pytest

from conformance.valuesets import ValueSets

ANIMALS: dict[str, Any] = {
    "url": "s",
    "content": "complete",
    "concept": [
        {
            "code": "animal",
            "concept": [
                {"code": "bird", "concept": [{"code": "duck"}]},
                {"code": "fish", "property": [{"code": "legs", "valueInteger": 0}]},
            ],
        },
        {"code": "swimmer", "property": [{"code": "child", "valueCode": "duck"}]},
    ],
}


def expand(*include: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> Any:
    sets = {
        "v": {"url": "v", "compose": {"include": list(include), "exclude": exclude or []}},
        "birds": {"compose": {"include": [{"system": "s", "filter": [of("is-a", "bird")]}]}},
        "swimmers": {"compose": {"include": [{"system": "s", "filter": [of("is-a", "swimmer")]}]}},
        "circle": {"compose": {"include": [{"valueSet": ["circle"]}]}},
    }
    return ValueSets(sets, {"s": ANIMALS, "part": {"content": "fragment"}}).expand("v|1.0")


def of(operator: str, value: str, name: str = "concept") -> dict[str, str]:
    return {"property": name, "op": operator, "value": value}


@pytest.mark.parametrize(
    ("include", "codes"),
    [
        ({"system": "s"}, ["animal", "bird", "duck", "fish", "swimmer"]),
        ({"system": "s", "concept": [{"code": "duck"}]}, ["duck"]),
        ({"system": "s", "filter": [of("is-a", "bird")]}, ["bird", "duck"]),
        ({"system": "s", "filter": [of("is-a", "swimmer")]}, ["duck", "swimmer"]),
        ({"system": "s", "filter": [of("descendent-of", "animal")]}, ["bird", "duck", "fish"]),
        ({"system": "s", "filter": [of("is-not-a", "bird")]}, ["animal", "fish", "swimmer"]),
        ({"system": "s", "filter": [of("regex", ".*i.*", "code")]}, None),
        ({"system": "s", "filter": [of("=", "animal", "parent")]}, ["bird", "fish"]),
        ({"system": "s", "filter": [of("generalizes", "bird")]}, ["animal", "bird"]),
        ({"system": "s", "filter": [of("in", "duck, fish")]}, ["duck", "fish"]),
        ({"system": "s", "filter": [of("not-in", "duck,fish,bird")]}, ["animal", "swimmer"]),
        ({"system": "s", "filter": [of("exists", "true", "legs")]}, ["fish"]),
        ({"system": "s", "filter": [of("=", "duck", "child")]}, ["bird", "swimmer"]),
        ({"system": "s", "filter": [of("=", "0", "legs")]}, ["fish"]),
        ({"system": "s", "filter": [of("is-a", "animal"), of("is-a", "swimmer")]}, ["duck"]),
        ({"valueSet": ["birds"]}, ["bird", "duck"]),
        ({"valueSet": ["birds", "swimmers"]}, ["duck"]),
        ({"system": "s", "concept": [{"code": "bird"}], "valueSet": ["birds"]}, ["bird"]),
    ],
)
def test_include(include: dict[str, Any], codes: list[str] | None) -> None:
    expected = codes or ["animal", "bird", "fish", "swimmer"]

    assert expand(include) == {"s": expected}


def test_what_is_excluded_is_not_in() -> None:
    found = expand({"system": "s"}, exclude=[{"valueSet": ["birds"]}])

    assert found == {"s": ["animal", "fish", "swimmer"]}


@pytest.mark.parametrize(
    "include",
    [
        {"system": "http://snomed.info/sct"},
        {"system": "part"},
        {"system": "s", "filter": [of("=", "x", "colour")]},
        {"system": "s", "filter": [of("nearby", "duck")]},
        {"valueSet": ["none"]},
        {"valueSet": ["circle"]},
    ],
)
def test_one_part_that_cannot_be_enumerated_makes_none_of_it(include: dict[str, Any]) -> None:
    assert expand({"system": "s"}, include) == {}
