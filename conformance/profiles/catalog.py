"""Catalog: definitions by URL, those of packages before those of the specification.

https://hl7.org/fhir/R4/packages.html
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.definitions import Definitions
from conformance.library import Extension
from conformance.snapshot import Node, tree_of
from conformance.valuesets import ValueSets

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"


class Catalog:
    """StructureDefinitions, value sets and code systems; `resources` are those of packages."""

    def __init__(self, definitions: Definitions, resources: Iterable[Json] = ()) -> None:
        library = definitions.library
        added = by_type_and_url(resources)
        self.structures: Mapping[str, Json] = _over(
            added["StructureDefinition"], library.structures
        )
        self.code_systems: Mapping[str, Json] = _over(added["CodeSystem"], library.code_systems)
        self.questionnaires: Mapping[str, Json] = added["Questionnaire"]
        self.value_sets: Mapping[str, Json] = _over(added["ValueSet"], library.value_sets)
        self._has_more = bool(added["ValueSet"] or added["CodeSystem"])
        self._definitions = definitions
        self._codes: dict[str, Mapping[str, frozenset[str]]] = {}
        own = {url: extension_of(each) for url, each in added["StructureDefinition"].items()}
        found = {url: each for url, each in own.items() if each}
        self.extensions: Mapping[str, Extension] = _over(found, library.extensions)

    def structure(self, url: str) -> Json | None:
        """A StructureDefinition by its URL, with or without version."""
        return self.structures.get(url.partition("|")[0])

    def tree(self, structure: Json) -> Node:
        """The elements of a profile as a tree. Raises SnapshotError."""
        return tree_of(structure, self.structure)

    def codes(self, url: str) -> Mapping[str, frozenset[str]]:
        """The codes of a value set by system; none where they cannot be enumerated."""
        url = url.partition("|")[0]
        if not self._has_more:
            return self._definitions.codes(url)
        found = self._codes.get(url)
        if found is None and url in self.value_sets:
            expanded = ValueSets(self.value_sets, self.code_systems).expand(url)
            found = self._codes[url] = {name: frozenset(each) for name, each in expanded.items()}
        return found or {}


def _over(added: dict[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping that asks what was added first."""
    return ChainMap(added, given) if added else given  # type: ignore[arg-type]  # only read


def by_type_and_url(resources: Iterable[Json]) -> dict[str, dict[str, Json]]:
    """Definitions by type, then by URL; of several with one URL the last."""
    found: dict[str, dict[str, Json]] = {
        name: {} for name in ("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire")
    }
    for resource in resources:
        url = resource.get("url")
        if isinstance(url, str) and resource.get("resourceType") in found:
            found[resource["resourceType"]][url] = resource
    return found


def extension_of(structure: Json) -> Extension | None:
    """What an extension may be used on and may hold; None for other profiles."""
    if structure.get("type") != "Extension" or structure.get("derivation") != "constraint":
        return None
    parts = [structure.get(name, {}).get("element", ()) for name in ("snapshot", "differential")]
    elements = parts[0] or parts[1]
    values = [
        kind["code"]
        for each in elements
        if each["path"] in ("Extension.value[x]", "Extension.value") and each.get("max") != "0"
        for kind in each.get("type", ())
    ]
    nested = [
        each["fixedUri"]
        for each in elements
        if each["path"] == "Extension.extension.url" and "fixedUri" in each
    ]
    is_modifier = bool(elements) and elements[0].get("isModifier", False)
    contexts = tuple((each["type"], each["expression"]) for each in structure.get("context", ()))
    invariants = tuple(structure.get("contextInvariant", ()))
    return Extension(contexts, invariants, tuple(values), tuple(nested), is_modifier)
