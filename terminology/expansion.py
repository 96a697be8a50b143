"""The codes that a value set means, from its composition and the code systems that it draws on.

https://hl7.org/fhir/R4/valueset.html#compositions

1. All parts of one include or exclude (system with concepts or filters, value sets) must hold.
2. Includes are united; what any exclude holds is taken out.
3. Codes that a complete code system does not have are not in the value set, even if listed.
4. A system without complete content can be meant as a whole, or by codes that are listed; filters
   on it cannot be followed. Then the expansion that the value set brings counts, if there is one.
5. Value sets that contain each other in a circle have no codes that could be told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from terminology.concepts import ConceptTree, Regex
from terminology.errors import Missing, TerminologyError, TooCostly
from terminology.extent import (
    WHOLE,
    Extent,
    difference,
    intersection,
    named,
    size,
    union,
)

Json = dict[str, Any]


DEEPEST = 40


class Sources(Protocol):
    """Where value sets and code systems come from, by canonical URL (`url` or `url|version`)."""

    def value_set(self, canonical: str, /) -> Json | None:
        """Return the value set, None if there is none."""

    def code_system(self, canonical: str, /) -> Json | None:
        """Return the code system, None if there is none."""

    def tree(self, canonical: str, system: Json, /) -> ConceptTree:
        """Return the concepts of a code system that was given for this canonical URL."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Expands value sets of `sources`; `regex` compiles what filters ask to match, `most` bounds
    the codes that one value set may name."""

    sources: Sources
    regex: Regex
    most: int
    known: dict[str, Extent] = field(default_factory=dict)

    def of(self, canonical: str, within: tuple[str, ...] = ()) -> Extent:
        """Return the codes of a value set.

        Raises `Missing` where something that is needed is not there, `TooCostly` beyond `most`, and
        `TerminologyError` for a circle or a filter that means nothing to the code system.
        """
        if canonical in within:
            circle = " -> ".join((*within[within.index(canonical) :], canonical))
            raise TerminologyError(f"Value sets contain each other: {circle}")
        if len(within) > DEEPEST:
            raise TooCostly(f"{within[0]} draws on more than {DEEPEST} value sets in one another")
        if canonical not in self.known:
            value_set = self.sources.value_set(canonical)
            if value_set is None:
                raise Missing(f"There is no value set {canonical}")
            self.known[canonical] = self._expanded(value_set, value_set, (*within, canonical))
        return self.known[canonical]

    def _expanded(self, value_set: Json, holder: Json, within: tuple[str, ...]) -> Extent:
        """Return the codes of a value set; what it calls `#id` is contained in `holder`."""
        brought = value_set.get("expansion", {}).get("contains")
        if "compose" not in value_set and brought:
            return _contained(brought)
        try:
            return self._composed(value_set.get("compose", {}), holder, within)
        except Missing:
            if not brought:
                raise
            return _contained(brought)

    def _composed(self, compose: Json, holder: Json, within: tuple[str, ...]) -> Extent:
        found: Extent = {}
        for each in compose.get("include", ()):
            found = self._bounded(union(found, self._part(each, holder, within)), within)
        for each in compose.get("exclude", ()):
            found = difference(found, self._part(each, holder, within))
        return self._active(found, compose) if compose.get("inactive") is False else found

    def _bounded(self, extent: Extent, within: tuple[str, ...]) -> Extent:
        if size(extent) > self.most:
            raise TooCostly(f"The value set {within[0]} has more than {self.most} codes")
        return extent

    def _part(self, part: Json, holder: Json, within: tuple[str, ...]) -> Extent:
        extents = [self._named(each, holder, within) for each in part.get("valueSet", ())]
        if "system" in part:
            extents.append(self._of_system(part))
        if not extents:
            raise TerminologyError(
                f"The value set {within[-1]} includes neither a system nor a value set"
            )
        found = extents[0]
        for each in extents[1:]:
            found = intersection(found, each)
        return found

    def _named(self, canonical: str, holder: Json, within: tuple[str, ...]) -> Extent:
        if not canonical.startswith("#"):
            return self.of(canonical, within)
        here = f"{holder.get('url', '')}{canonical}"
        if here in within:
            raise TerminologyError(f"{here} contains itself")
        value_set = contained(holder, canonical)
        if value_set is None:
            raise Missing(f"{within[0]} contains no value set {canonical}")
        return self._expanded(value_set, holder, (*within, here))

    def _of_system(self, part: Json) -> Extent:
        system = part["system"]
        canonical = f"{system}|{part['version']}" if "version" in part else system
        listed = [each["code"] for each in part.get("concept", ())]
        filters = part.get("filter", ())
        definition = self.sources.code_system(canonical)
        if definition is None or definition.get("content") != "complete":
            if filters:
                raise Missing(f"The content of the code system {canonical} is not there")
            return named(system, listed) if "concept" in part else {system: WHOLE}
        tree = self.sources.tree(canonical, definition)
        accepted = [tree.parents.keys(), *(self._filtered(tree, system, each) for each in filters)]
        codes = listed if "concept" in part else tree.parents
        return named(system, [code for code in codes if all(code in each for each in accepted)])

    def _filtered(self, tree: ConceptTree, system: str, given: Json) -> set[str]:
        name, operator, value = given["property"], given["op"], given["value"]
        found = tree.filtered(name, operator, value, self.regex)
        if found is None:
            raise TerminologyError(
                f"The filter {name} {operator} {value} cannot be applied to {system}"
            )
        return found

    def _active(self, extent: Extent, compose: Json) -> Extent:
        """Take out the codes that are no longer to be used, of the systems whose content is there.

        A value set that this one includes may name other systems: those are looked up as well.
        """
        versions = {
            each["system"]: f"{each['system']}|{each['version']}"
            for each in compose.get("include", ())
            if "system" in each and "version" in each
        }
        for system in extent:
            canonical = versions.get(system, system)
            definition = self.sources.code_system(canonical)
            if definition is not None:
                tree = self.sources.tree(canonical, definition)
                inactive = [code for code in tree.parents if tree.is_inactive(code)]
                extent = difference(extent, named(system, inactive))
        return extent


def _contained(contains: list[Json]) -> Extent:
    """Return the codes of an expansion that a value set brings, those nested in others too."""
    found: dict[str, dict[str, None]] = {}
    todo = list(reversed(contains))
    while todo:
        each = todo.pop()
        if "code" in each and not each.get("abstract"):
            found.setdefault(each.get("system", ""), {})[each["code"]] = None
        todo += reversed(each.get("contains", ()))
    extent: Extent = {}
    for system, codes in found.items():
        extent = union(extent, named(system, codes))
    return extent


def contained(holder: Json, reference: str) -> Json | None:
    """Return the value set that a resource contains and calls by this reference, `#id`."""
    known = holder.get("contained", ())
    return next((each for each in known if f"#{each.get('id')}" == reference), None)


def needed(value_set: Json) -> Iterator[tuple[str, str]]:
    """Yield what expanding a value set asks for: ("ValueSet" or "CodeSystem", canonical URL)."""
    for each in value_set.get("contained", ()):
        yield from needed(each)
    compose = value_set.get("compose", {})
    for part in (*compose.get("include", ()), *compose.get("exclude", ())):
        for each in part.get("valueSet", ()):
            if not each.startswith("#"):
                yield "ValueSet", each
        if "system" in part:
            version = part.get("version")
            yield "CodeSystem", f"{part['system']}|{version}" if version else part["system"]


def codes(extent: Extent) -> Mapping[str, list[str]] | None:
    """Return the codes by system; None where a system is meant without naming its codes."""
    if any(part.all_but for part in extent.values()):
        return None
    return {system: list(part.codes) for system, part in extent.items()}
