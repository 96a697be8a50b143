"""Index entries of a resource, computed once when it is written.

https://hl7.org/fhir/R4/searchparameter.html, https://hl7.org/fhir/R4/compartmentdefinition.html

1. Every parameter of the type is computed by its FHIRPath expression, compiled once for each type;
   but for those that find what others find (`search.unions`).
2. What a resource says of itself in `meta` is indexed as `_profile`, `_tag`, `_security` and
   `_source`; `_id` and `_lastUpdated` are the record's own and need no entry.
3. The parts of a composite that come from one place share a group, from 1 up.
4. What a contained resource says is indexed apart (`search.contained`); a reference to one stays
   `#id`.
5. Where an expression cannot be evaluated on a resource, the parameter has no value there.
6. Where a release makes other entries of the same resource, the number of the kind in `EDITIONS`
   grows: stores are then indexed again by themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from itertools import chain, count
from typing import Any

from conformance.definitions import Definitions, SearchParameter
from conformance.fhirpath import compile
from fhir_server.model import NO_TEXT, Entry, Key, Text
from fhir_server.search import (
    contained,
    date,
    near,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from fhir_server.search.elements import needed, on_type
from fhir_server.search.fulltext import EVERYWHERE, FullText
from fhir_server.search.steps import Make, Part, Step, entries_of
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.text import text_of
from fhir_server.search.unions import unions

EDITIONS = {
    "composite": 1,
    "date": 1,
    "number": 1,
    "quantity": 2,
    "reference": 2,
    "special": 1,
    "string": 1,
    "token": 1,
    "words": 1,
    "uri": 1,
}
"""Type of parameter -> how its entries are made, as a number."""

_EXCHANGED = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship"
_RECORDS_OWN = ("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source")


class Extractor:
    """Computes entries; holds what it compiled of each resource type."""

    def __init__(
        self,
        definitions: Definitions,
        base_url: str = "",
        zone: tzinfo = SHANGHAI,
        full_text: FullText = EVERYWHERE,
    ) -> None:
        """Take the hub's FHIR base, to know its own absolute URLs, the zone of bare times, and the
        types whose words are kept."""
        self.definitions = definitions
        self.base = base_url.rstrip("/")
        self._zone = zone
        self.full_text = full_text
        self._steps: dict[str, dict[str, Step]] = {}
        makers: dict[str, Make] = {
            "token": token.entries,
            "string": string.entries,
            "family": string.family,
            "date": partial(date.entries, zone=zone),
            "number": number.entries,
            "quantity": quantity.entries,
            "uri": uri.entries,
            "reference": partial(reference.entries, base=self.base),
            "special": near.entries,
        }
        self._make = {kind: self._maker(make) for kind, make in makers.items()}

    def under(self, definitions: Definitions) -> "Extractor":
        """Return one of other definitions; of types that are alike it keeps what is compiled."""
        made = Extractor(definitions, self.base, self._zone, self.full_text)
        for name, steps in self._steps.items():
            there = self.definitions.search_parameters(name)
            if there == definitions.search_parameters(name):
                made._steps[name] = steps
        return made

    def entries(self, resource: dict[str, Any]) -> tuple[Entry, ...]:
        """Return all entries of a resource, without repetition, in a constant order.

        KeyError for what is no resource type.
        """
        found = chain(_of_context(resource), self._said(resource, resource))
        if "contained" in resource:
            found = chain(found, self._contained(resource))
        return tuple(dict.fromkeys(found))

    def text(self, resource: dict[str, Any]) -> Text:
        """Return the words of a resource, if those of its type are kept."""
        return text_of(resource) if self.full_text.covers(resource["resourceType"]) else NO_TEXT

    def references(
        self, resource: dict[str, Any], codes: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """Return the entries of some reference parameters alone; `None`: of all of them."""
        known = self._compiled(resource["resourceType"])
        wanted = known.values() if codes is None else (known[c] for c in codes if c in known)
        steps = [step for step in wanted if step.kind == "reference"]
        return tuple(dict.fromkeys(entries_of(resource, steps)))

    def patients(self, key: Key, entries: Sequence[Entry]) -> tuple[str, ...]:
        """Return the ids of the patients whose compartments a record is in, in order.

        Only the parameters of the CompartmentDefinition count; a Patient is in its own.
        """
        codes = self.definitions.compartment("Patient").get(key.type, ())
        found = {
            entry.v.removeprefix("Patient/")
            for entry in entries
            if entry.param in codes and isinstance(entry.v, str) and entry.v.startswith("Patient/")
        }
        if key.type == "Patient":
            found.add(key.id)
        return tuple(sorted(found))

    def _said(self, resource: dict[str, Any], root: dict[str, Any]) -> Iterator[Entry]:
        """Yield what a resource says, which stands in `root`."""
        steps = self._compiled(resource["resourceType"]).values()
        yield from _of_meta(resource.get("meta", {}))
        yield from entries_of(resource, steps, root)

    def _contained(self, root: dict[str, Any]) -> Iterator[Entry]:
        for inner in root["contained"]:
            type_name, id = inner.get("resourceType"), inner.get("id")
            if isinstance(id, str) and self.definitions.is_resource_type(type_name):
                yield from contained.entries_of(type_name, id, self._said(inner, root))

    def _compiled(self, type_name: str) -> dict[str, Step]:
        if type_name not in self._steps:
            known = self.definitions.search_parameters(type_name)
            without = {*_RECORDS_OWN, *unions(self.definitions, type_name)}
            self._steps[type_name] = {
                code: self._step(type_name, parameter)
                for code, parameter in known.items()
                if code not in without and (parameter.type != "special" or code == "near")
            }
        return self._steps[type_name]

    def _step(self, type_name: str, parameter: SearchParameter) -> Step:
        expression = on_type(self.definitions, type_name, parameter.expression)
        compiled = compile(expression, self.definitions, type_name)
        properties = needed(self.definitions, type_name, parameter)
        if parameter.type != "composite":
            is_family = (parameter.type, parameter.code) == ("string", "family")
            make = self._make["family" if is_family else parameter.type]
            part = Part(parameter.code, compiled.run, make)
            return Step(parameter.type, properties, part)
        known = self.definitions.search_parameters(type_name)
        counted = _counted(parameter, known)
        components = tuple(
            Part(
                f"{parameter.code}.{place}",
                compile(expression, self.definitions, *(compiled.types or ())).run,
                self._make[known[code].type],
                counted[place],
            )
            for place, (code, expression) in enumerate(corrected(parameter))
        )
        part = Part(parameter.code, compiled.run, lambda *_: ())
        return Step(parameter.type, properties, part, components)

    def _maker(self, make: Make) -> Make:
        def made(param: str, fhir_type: str, value: Any) -> Iterable[Entry]:
            if fhir_type == "Extension":
                return self._extended(make, param, value)
            return make(param, fhir_type, value)

        return made

    def _extended(self, make: Make, param: str, extension: dict[str, Any]) -> Iterator[Entry]:
        for name, value in extension.items():
            if name.startswith("value"):
                bare = name.removeprefix("value")
                primitive = bare[:1].lower() + bare[1:]
                known = bare if bare in self.definitions.types else primitive
                yield from make(param, known, value)


def _counted(parameter: SearchParameter, known: Mapping[str, SearchParameter]) -> list[str]:
    """Return for each part of a composite, where a quantity stands in base units: behind all."""
    behind = count(len(parameter.components))
    return [
        f"{parameter.code}.{next(behind)}" if known[code].type == "quantity" else ""
        for code, _ in parameter.components
    ]


def corrected(parameter: SearchParameter) -> Iterable[tuple[str, str]]:
    """Yield the components of a composite, R4's slips put right.

    Observation-code-value-date names the type DateTime, which FHIR writes dateTime, and
    DocumentReference-relationship exchanges the expressions of its two parts.
    """
    expressions = [text.replace("as(DateTime)", "as(dateTime)") for _, text in parameter.components]
    if parameter.url == _EXCHANGED:
        expressions.reverse()
    codes = (code for code, _ in parameter.components)
    return zip(codes, expressions, strict=True)


def _of_meta(meta: dict[str, Any]) -> Iterator[Entry]:
    for profile in meta.get("profile", ()):
        yield from uri.canonical_entries("_profile", "canonical", profile)
    for tag in meta.get("tag", ()):
        yield from token.entries("_tag", "Coding", tag)
    for label in meta.get("security", ()):
        yield from token.entries("_security", "Coding", label)
    yield from uri.entries("_source", "uri", meta.get("source"))


def _of_context(resource: dict[str, Any]) -> Iterator[Entry]:
    """Tell authorization that access to a Binary follows that to another record."""
    if resource["resourceType"] == "Binary" and "securityContext" in resource:
        yield Entry("_context", str(resource["securityContext"].get("reference", "")))
