"""References inside a Bundle: which entries they mean, and which they must find.

https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/documents.html#content

1. A document holds what its Composition refers to directly, and a message what its focus is.
2. All that a document holds can be reached from its Composition, by references either way.
3. What urn:uuid and urn:oid name in a document, message or transaction is in it: it can be nowhere
   else. In other Bundles that is a warning.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from conformance.definitions import Definitions
from conformance.validation.faults import Check, Fault, Faults
from conformance.validation.paths import references_in
from conformance.validation.rules.bundles import Entry, Json, entries_of, resource_of

DIRECT = {
    "Composition": (
        "subject",
        "encounter",
        "author",
        "attester.party",
        "custodian",
        "event.detail",
        "section.entry",
    ),
    "MessageHeader": ("focus",),
}
CLOSED = frozenset({"document", "message", "transaction"})

_VERSION = re.compile(r"/_history/([A-Za-z0-9\-.]{1,64})$")
_TYPE_AND_ID = re.compile(r"(?P<base>.*/|)(?P<name>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})$")


class Entries:
    """The entries of a Bundle by URL and by type and id."""

    def __init__(self, entries: list[Entry]) -> None:
        self._by_url: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        self._resources = [resource_of(entry) for _, entry in entries]
        self._bases: list[str] = []
        for index, (_, entry) in enumerate(entries):
            url, resource = entry.get("fullUrl"), self._resources[index]
            self._bases.append(_base(url))
            if url.__class__ is str:
                self._by_url.setdefault(url, []).append(index)
            name = f"{resource.get('resourceType')}/{resource.get('id')}"
            self._by_name.setdefault(name, []).append(index)

    def find(self, literal: str, origin: int) -> list[int]:
        """The entries that a reference in the entry `origin` means."""
        version = _VERSION.search(literal)
        url = literal[: version.start()] if version else literal
        if ":" in url.partition("/")[0]:
            found = self._by_url.get(url, [])
        elif base := self._bases[origin]:
            found = self._by_url.get(base + url, [])
        else:
            found = self._by_name.get(url, [])
        if version is None:
            return found
        return [each for each in found if self._version(each) in (None, version[1])]

    def _version(self, index: int) -> Any:
        meta = self._resources[index].get("meta")
        return meta.get("versionId") if meta.__class__ is dict else None


def _base(url: Any) -> str:
    found = _TYPE_AND_ID.fullmatch(url) if url.__class__ is str else None
    return found["base"] if found else ""


def references_check(definitions: Definitions) -> Check:
    """The check of the references of a Bundle against its entries."""

    def check(bundle: Json) -> Faults:
        entries = entries_of(bundle)
        index = Entries(entries)
        kind = bundle.get("type")
        found = []
        for place, literal in _lost_urns(entries, index, definitions):
            text = f'found a reference to "{literal}", expected an entry with that fullUrl'
            severity: Any = "error" if kind in CLOSED else "warning"
            found.append(Fault(place, "not-found", text, severity=severity))
        if kind in ("document", "message") and entries:
            found += _direct(entries, index)
            found += _orphans(entries, index, kind)
        return found or None

    return check


def literals(value: Any) -> Iterator[str]:
    """All literal references in a JSON value."""
    if value.__class__ is dict:
        literal = value.get("reference")
        if literal.__class__ is str:
            yield literal
        value = value.values()
    for each in value:
        if each.__class__ is dict or each.__class__ is list:
            yield from literals(each)


def _lost_urns(
    entries: list[Entry], index: Entries, definitions: Definitions
) -> Iterator[tuple[str, str]]:
    """The URNs that no entry has, with the places of the references to them."""
    for number, (place, entry) in enumerate(entries):
        resource = resource_of(entry)
        urns = {each for each in literals(resource) if each.startswith("urn:")}
        lost = {each for each in urns if not index.find(each, number)}
        for path, literal in references_in(definitions, resource) if lost else ():
            if literal in lost:
                yield f"{place}.resource{path}", literal


def _direct(entries: list[Entry], index: Entries) -> Iterator[Fault]:
    place, first = entries[0]
    resource = resource_of(first)
    for path in DIRECT.get(str(resource.get("resourceType")), ()):
        for where, reference in _at(resource, path.split("."), f"{place}.resource"):
            literal = reference.get("reference") if reference.__class__ is dict else None
            if literal.__class__ is not str or literal.startswith("#"):
                continue
            count = len(index.find(literal, 0))
            if count != 1:
                text = f'found {count or "no"} entries for "{literal}", expected one in the Bundle'
                yield Fault(where, "not-found", text)


def _at(value: Any, path: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """What stands at a path, sections within sections included, each with its place."""
    if not path:
        yield place, value
    elif value.__class__ is dict:
        name, *rest = path
        for where, each in _items(value.get(name), f"{place}.{name}"):
            yield from _at(each, rest, where)
            if name == "section":
                yield from _at(each, path, where)


def _items(value: Any, place: str) -> Iterable[tuple[str, Any]]:
    if value.__class__ is list:
        return [(f"{place}[{index}]", each) for index, each in enumerate(value)]
    return [] if value is None else [(place, value)]


def _orphans(entries: list[Entry], index: Entries, kind: str) -> Iterator[Fault]:
    neighbours: list[set[int]] = [set() for _ in entries]
    for number, (_, entry) in enumerate(entries):
        for literal in literals(resource_of(entry)):
            for other in index.find(literal, number):
                neighbours[number].add(other)
                neighbours[other].add(number)
    reached, waiting = {0}, [0]
    while waiting:
        new = neighbours[waiting.pop()] - reached
        reached |= new
        waiting += new
    for number, (place, entry) in enumerate(entries):
        if number not in reached and resource_of(entry):
            text = f"found a resource that no reference joins to the first of the {kind}"
            severity: Any = "error" if kind == "document" else "warning"
            yield Fault(place, "not-found", text, severity=severity)
