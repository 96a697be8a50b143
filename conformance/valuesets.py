"""Expansion of the value sets that a package alone can enumerate.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Codes = dict[str, list[str]]  # system -> codes, in the order of definition


class ValueSets:
    """The value sets and code systems of one package, by URL."""

    def __init__(self, value_sets: Mapping[str, Json], code_systems: Mapping[str, Json]) -> None:
        self._sets = value_sets
        self._systems = code_systems

    def expand(self, url: str) -> Codes:
        """The codes of a value set by system; nothing where the package cannot enumerate them."""
        return self._expand(url, ())

    def _expand(self, url: str, within: tuple[str, ...]) -> Codes:
        url = url.partition("|")[0]
        value_set = self._sets.get(url)
        if value_set is None or url in within:
            return {}
        compose = value_set.get("compose", {})
        included = [self._include(each, (*within, url)) for each in compose.get("include", [])]
        excluded = [self._include(each, (*within, url)) for each in compose.get("exclude", [])]
        if not all(included) or not all(excluded):
            return {}
        unwanted = {(system, code) for each in excluded for system, code in pairs(each)}
        merged: dict[str, dict[str, None]] = {}
        for each in included:
            for system, code in pairs(each):
                if (system, code) not in unwanted:
                    merged.setdefault(system, {})[code] = None
        return {system: list(found) for system, found in merged.items()}

    def _include(self, include: Json, within: tuple[str, ...]) -> Codes:
        """What all parts of one include have in common; nothing where one is not enumerable."""
        parts = [self._expand(url, within) for url in include.get("valueSet", ())]
        if "system" in include:
            parts.append(self._of_system(include))
        if not parts or not all(parts):
            return {}
        common = set(pairs(parts[0])).intersection(*map(pairs, parts[1:]))
        found = {
            system: [code for code in codes if (system, code) in common]
            for system, codes in parts[0].items()
        }
        return {system: codes for system, codes in found.items() if codes}

    def _of_system(self, include: Json) -> Codes:
        system = include["system"]
        if "concept" in include:
            return {system: [concept["code"] for concept in include["concept"]]}
        definition = self._systems.get(system, {})
        if definition.get("content") != "complete":
            return {}
        tree = ConceptTree(definition.get("concept", []))
        codes = list(tree.parents)
        for each in include.get("filter", ()):
            accepted = tree.filtered(each["property"], each["op"], each["value"])
            if accepted is None:
                return {}
            codes = [code for code in codes if code in accepted]
        return {system: codes} if codes else {}


def pairs(codes: Codes) -> Iterator[tuple[str, str]]:
    """Each code with its system."""
    return ((system, code) for system, found in codes.items() for code in found)


class ConceptTree:
    """The codes of a code system with the parents of each, in the order of definition.

    A concept stands below those that it is nested in, and those that name it as their `child`.
    """

    def __init__(self, concepts: list[Json]) -> None:
        self.parents: dict[str, set[str]] = {}
        self._properties: dict[str, dict[str, set[str]]] = {}
        self._add(concepts, None)
        for code, given in self._properties.items():
            self.parents[code] |= given.get("parent", set())
            for child in given.get("child", ()):
                self.parents.get(child, set()).add(code)

    def _add(self, concepts: list[Json], parent: str | None) -> None:
        for concept in concepts:
            code = concept["code"]
            self.parents.setdefault(code, set())
            if parent is not None:
                self.parents[code].add(parent)
            for each in concept.get("property", ()):
                self._add_property(code, each)
            self._add(concept.get("concept", []), code)

    def _add_property(self, code: str, given: Json) -> None:
        [value] = (str(value) for key, value in given.items() if key.startswith("value"))
        self._properties.setdefault(code, {}).setdefault(given["code"], set()).add(value)

    def below(self, code: str) -> set[str]:
        """All codes that stand below a code, at any depth."""
        found: set[str] = set()
        todo = {code}
        while todo:
            todo = {each for each, above in self.parents.items() if above & todo} - found
            found |= todo
        return found

    def filtered(self, name: str, operator: str, value: str) -> set[str] | None:
        """The codes that a filter accepts; None where that cannot be told.

        https://hl7.org/fhir/R4/valueset-filter-operator.html
        """
        if name in ("concept", "code"):
            match operator:
                case "is-a":
                    return self.below(value) | {value}
                case "descendent-of":
                    return self.below(value)
                case "is-not-a":
                    return set(self.parents) - self.below(value) - {value}
                case "regex":
                    # Imported when needed: FHIRPath is built on the definitions.
                    from conformance.fhirpath.regex import pattern

                    whole = pattern(rf"\A(?:{value})\Z")
                    return {code for code in self.parents if whole.is_in(code)}
        if operator == "=" and name == "parent":
            return {code for code, above in self.parents.items() if value in above}
        if operator == "=" and any(name in given for given in self._properties.values()):
            return {
                code for code, given in self._properties.items() if value in given.get(name, ())
            }
        return None
