"""The library: what of the official package is read only when it is asked for.

https://hl7.org/fhir/R4/downloads.html (hl7.fhir.r4.core 4.0.1); the files are made by `build.py`.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import msgspec

from conformance.records import Records
from conformance.valuesets import ValueSets


class Extension(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an extension may be used on, and what it may hold.

    `contexts` are (type, expression): https://hl7.org/fhir/R4/extension-context-type.html.
    `types` are those of its value; without any, it has the extensions that `nested` names.
    """

    contexts: tuple[tuple[str, str], ...]
    context_invariants: tuple[str, ...]
    types: tuple[str, ...]
    nested: tuple[str, ...]
    is_modifier: bool


class Library:
    """StructureDefinitions, CodeSystems and ValueSets by URL, extensions, and expanded value sets.

    StructureDefinitions are without what only people read, ValueSets with their composition,
    CodeSystems with all concepts. Nothing is read before it is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.structures = Records(folder / "structures.jsonl")
        self.code_systems = Records(folder / "codesystems.jsonl")
        self.value_sets = Records(folder / "valuesets.jsonl")
        self._codes: dict[str, Mapping[str, frozenset[str]]] = {}

    @cached_property
    def extensions(self) -> Mapping[str, Extension]:
        """The extensions that the specification defines, by URL."""
        text = (self._folder / "extensions.json").read_bytes()
        return MappingProxyType(msgspec.json.decode(text, type=dict[str, Extension]))

    def codes(self, url: str) -> Mapping[str, frozenset[str]]:
        """The codes of a value set by system; none where the package cannot enumerate them."""
        url = url.partition("|")[0]
        found = self._codes.get(url)
        if found is None and url in self.value_sets:
            expanded = ValueSets(self.value_sets, self.code_systems).expand(url)
            found = MappingProxyType({name: frozenset(each) for name, each in expanded.items()})
            self._codes[url] = found
        return found or {}
