"""Expansion of the value sets that a package alone can enumerate.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Codes = dict[str, list[str]]  # system -> codes, in the order of definition


class ValueSets:
    """The value sets and code systems of one package, by URL."""

    def __init__(self, value_sets: list[Json], code_systems: list[Json]) -> None:
        self._sets = {each["url"]: each for each in value_sets}
        self._systems = {each["url"]: each for each in code_systems}

    def expand(self, url: str) -> Codes:
        """The codes of a value set by system; nothing where the package cannot enumerate them."""
        value_set = self._sets.get(url.partition("|")[0])
        compose = value_set.get("compose", {}) if value_set else {}
        if "exclude" in compose:
            return {}
        merged: dict[str, dict[str, None]] = {}
        for include in compose.get("include", []):
            codes = self._include(include)
            if not codes:
                return {}
            for system, found in codes.items():
                merged.setdefault(system, {}).update(dict.fromkeys(found))
        return {system: list(found) for system, found in merged.items()}

    def _include(self, include: Json) -> Codes:
        if "filter" in include:
            return {}
        if "valueSet" in include:
            # Several value sets within one include mean their intersection: none of R4's need it.
            return self.expand(include["valueSet"][0]) if len(include["valueSet"]) == 1 else {}
        system = include["system"]
        if "concept" in include:
            return {system: [concept["code"] for concept in include["concept"]]}
        definition = self._systems.get(system, {})
        if definition.get("content") != "complete":
            return {}
        return {system: list(codes_of(definition.get("concept", [])))}


def codes_of(concepts: list[Json]) -> Iterator[str]:
    """The codes of a concept tree, parents before children."""
    for concept in concepts:
        yield concept["code"]
        yield from codes_of(concept.get("concept", []))
