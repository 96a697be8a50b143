"""Expansion of the value sets that a package alone can enumerate.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Mapping
from typing import Any

from terminology.concepts import ConceptTree, Matcher
from terminology.errors import TerminologyError
from terminology.expansion import Expansion, codes

Json = dict[str, Any]
Codes = dict[str, list[str]]  # system -> codes, in the order of definition

MOST = 1_000_000


class ValueSets:
    """The value sets and code systems of one package, by URL; versions are not looked at."""

    def __init__(self, value_sets: Mapping[str, Json], code_systems: Mapping[str, Json]) -> None:
        self._sets = value_sets
        self._systems = code_systems

    def expand(self, url: str) -> Codes:
        """The codes of a value set by system; nothing where the package cannot enumerate them."""
        try:
            found = codes(Expansion(self, matcher, MOST).of(url))
        except TerminologyError:
            return {}
        return dict(found or {})

    def value_set(self, canonical: str, /) -> Json | None:
        """The value set of this URL."""
        return self._sets.get(canonical.partition("|")[0])

    def code_system(self, canonical: str, /) -> Json | None:
        """The code system of this URL."""
        # The package has some systems of HL7 v2 whose URL itself ends in a version.
        return self._systems.get(canonical) or self._systems.get(canonical.partition("|")[0])

    def tree(self, canonical: str, system: Json, /) -> ConceptTree:
        """The concepts of a code system."""
        return ConceptTree(system)


def matcher(expression: str) -> Matcher:
    """What tells whether a whole text matches a regular expression, in bounded time."""
    # Imported when needed: FHIRPath is built on the definitions.
    from conformance.fhirpath.errors import FHIRPathError
    from conformance.fhirpath.regex import pattern

    try:
        whole = pattern(rf"\A(?:{expression})\Z")
    except FHIRPathError as fault:
        raise TerminologyError(f"The expression {expression!r} cannot be read: {fault}") from None

    def matches(text: str) -> bool:
        try:
            return whole.is_in(text)
        except FHIRPathError as fault:
            raise TerminologyError(f"The expression {expression!r} costs too much") from fault

    return matches
