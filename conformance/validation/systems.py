"""Code systems: whether a code is one of a system's, as far as that can be told here.

https://hl7.org/fhir/R4/terminologies-systems.html

Those of the R4 package that are complete are looked up. Some are grammars or registers (languages,
media types, currencies, units), and of SNOMED CT and LOINC the check digit tells most slips.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from conformance.issues import Severity
from conformance.validation.check_digits import loinc, snomed
from conformance.validation.rules.currencies import CURRENCIES
from conformance.validation.rules.media_types import is_language, is_media_type
from terminology.ucum import is_unit

Json = dict[str, Any]
Displays = Mapping[str, tuple[str, ...]]
Test = Callable[[str], Severity | None]  # how wrong a code is

UCUM = "http://unitsofmeasure.org"

# What a code must be, where no list enumerates the codes.
FORMS: Mapping[str, Callable[[str], bool]] = {
    "http://hl7.org/fhir/ValueSet/mimetypes": is_media_type,
    "http://www.rfc-editor.org/bcp/bcp13.txt": is_media_type,
    "http://hl7.org/fhir/ValueSet/languages": is_language,
    "http://hl7.org/fhir/ValueSet/all-languages": is_language,
    "http://hl7.org/fhir/ValueSet/currencies": CURRENCIES.__contains__,
    "http://hl7.org/fhir/ValueSet/ucum-units": is_unit,
}


def _error_unless(is_good: Callable[[str], bool]) -> Test:
    return lambda code: None if is_good(code) else "error"


def _unit(code: str) -> Severity | None:
    # Records are full of units that only look like UCUM: refusing them would lose the results.
    return None if is_unit(code) else "warning"


GRAMMARS: Mapping[str, Test] = {
    "urn:ietf:bcp:13": _error_unless(is_media_type),
    "urn:ietf:bcp:47": _error_unless(is_language),
    "urn:iso:std:iso:4217": _error_unless(CURRENCIES.__contains__),
    "http://snomed.info/sct": snomed,
    "http://loinc.org": loinc,
    UCUM: _unit,
}


class Systems:
    """Code systems by URL; the codes of each are kept once it was asked for."""

    def __init__(self, code_systems: Mapping[str, Json]) -> None:
        self._code_systems = code_systems
        self._tests: dict[str, Test | None] = dict(GRAMMARS)
        self._displays: dict[str, Displays] = {}

    def test(self, url: str) -> Test | None:
        """What tells how wrong a code of this system is; None where nothing does."""
        try:
            return self._tests[url]
        except KeyError:
            if url not in self._code_systems:
                return None  # not kept: anybody may send any number of URLs
            system = self._code_systems[url]
            self._displays[url] = displays_of(system)
            made = self._tests[url] = test_of(system)
            return made

    def displays(self, url: str, code: str) -> tuple[str, ...]:
        """The displays and designations of a code; none where they are not known."""
        known = self._displays.get(url)
        return known.get(code, ()) if known else ()


def test_of(system: Json) -> Test | None:
    """The test of a code system that lists all its codes."""
    if system.get("content") != "complete" or not system.get("concept"):
        return None
    codes = frozenset(concept["code"] for concept in concepts_of(system["concept"]))
    if system.get("caseSensitive", True):
        return _error_unless(codes.__contains__)
    return _error_unless(partial(_is_among, codes, frozenset(code.lower() for code in codes)))


def displays_of(system: Json) -> Displays:
    """Code -> its display, then what else it is called."""
    return {
        concept["code"]: (
            concept["display"],
            *(each["value"] for each in concept.get("designation", ())),
        )
        for concept in concepts_of(system.get("concept", []))
        if "display" in concept
    }


def concepts_of(concepts: list[Json]) -> Iterator[Json]:
    """All concepts of a tree."""
    for concept in concepts:
        yield concept
        yield from concepts_of(concept.get("concept", []))


def _is_among(codes: frozenset[str], lower: frozenset[str], code: str) -> bool:
    return code in codes or code.lower() in lower
