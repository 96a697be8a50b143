"""What `_include` and `_revinclude` add to a page, planned as ordinary searches.

https://hl7.org/fhir/R4/search.html#include

1. The first round follows every inclusion from the matches; a later one follows the iterating ones
   from what the round before added.
2. Each query is a search like any other: the caller joins its own predicate before a store sees it.
3. What is known already is not asked for again.
4. A reference that names a version asks for that version, by itself.
5. A canonical is followed to what has its URL, and its version if it names one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.definitions import Definitions
from fhir_server.model import Entry, Key, Query
from fhir_server.search import canonical
from fhir_server.search.alternatives import anyone, cond
from fhir_server.search.elements import reads_canonicals, targets
from fhir_server.search.extract import Extractor
from fhir_server.search.search import Include, Search
from fhir_server.search.tree import Ids, Node, Not, both, either

Resources = Sequence[tuple[Key, dict[str, Any]]]
Pointer = tuple[Key, int | None]
"""What a reference points to, and the number of the version where it names one."""

_LONGEST = 18
"""Digits of a version's number; a store keeps 63 bits."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round begins with: the matches, or (`again`) what the round before added; `pointed` is
    what the inclusions follow from it."""

    resources: Resources
    again: bool
    pointed: tuple[Pointer, ...]


def round_from(
    extractor: Extractor, search: Search, resources: Resources, *, again: bool = False
) -> Round:
    """Return what a round begins with, as `plan` takes it."""
    pointed = (
        pointer
        for include in search.includes
        if include.iterate or not again
        for pointer in _pointed(extractor, include, resources)
    )
    return Round(resources, again, tuple(pointed))


def plan(
    extractor: Extractor,
    search: Search,
    start: Round,
    *,
    known: Collection[Key] = (),
    types: Collection[str] = (),
) -> tuple[Query, ...]:
    """Return one query a type for what `start` refers to or what refers to it.

    `known` keys are left out. `types` are those that `_revinclude=*` looks at. Queries carry no
    authorization, and the default `limit`: the caller sets both.
    """
    resources, again = start.resources, start.again
    wanted: dict[str, list[Node]] = {}
    for type_name, ids in _ids(start.pointed, known).items():
        wanted[type_name] = [Ids(frozenset(ids))]
    for include in search.includes:
        if include.iterate or not again:
            for type_name, names in _meant(extractor, include, resources).items():
                others = _unknown(type_name, known)
                wanted.setdefault(type_name, []).append(both(canonical.named(names), *others))
    for include in _named(extractor.definitions, search.revincludes, types):
        if include.iterate or not again:
            node = _referring(extractor.definitions, include, resources)
            if node is not None:
                others = _unknown(include.source, known)
                wanted.setdefault(include.source, []).append(both(node, *others))
    return tuple(Query(type_name, either(*nodes)) for type_name, nodes in wanted.items())


def versioned(start: Round) -> tuple[tuple[Key, int], ...]:
    """Return the versions that are referred to by number, each once."""
    return tuple(dict.fromkeys((key, vid) for key, vid in start.pointed if vid is not None))


def _named(
    definitions: Definitions, includes: Sequence[Include], types: Collection[str]
) -> Iterator[Include]:
    """Yield inclusions with `*` as one of each type."""
    for include in includes:
        if include.source != "*":
            yield include
            continue
        for type_name in sorted(types):
            if definitions.is_resource_type(type_name):
                yield include._replace(source=type_name)


def _ids(pointed: Iterable[Pointer], known: Collection[Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for target, vid in pointed:
        if vid is None and target not in known:
            found.setdefault(target.type, []).append(target.id)
    return found


def _pointed(extractor: Extractor, include: Include, resources: Resources) -> Iterator[Pointer]:
    """Yield the records that an inclusion follows from `resources`, with the version if named."""
    codes = () if include.param == "*" else (include.param,)
    for key, resource in resources:
        if include.source in ("*", key.type):
            for target, vid in referred(extractor, resource, *codes):
                if include.target in (None, target.type):
                    yield target, vid


def referred(extractor: Extractor, resource: dict[str, Any], *codes: str) -> Iterator[Pointer]:
    """Yield the records that reference parameters (none: all of them) of a resource point to, with
    the version where one is named."""
    for entry in extractor.references(resource, codes or None):
        type_name, slash, id = str(entry.v).partition("/")
        if slash and ":" not in entry.param and extractor.definitions.is_resource_type(type_name):
            version = str(entry.w)
            numbered = version.isascii() and version.isdecimal() and len(version) < _LONGEST
            yield Key(type_name, id), int(version) if numbered else None


def _meant(
    extractor: Extractor, include: Include, resources: Resources
) -> dict[str, list[canonical.Name]]:
    """Return the canonicals that are referred to, by each type of which they may be."""
    definitions = extractor.definitions
    found: dict[str, dict[canonical.Name, None]] = {}
    for key, resource in resources:
        known = definitions.search_parameters(key.type)
        for entry in _canonicals(extractor, include, key, resource):
            for target in targets(definitions, key.type, known[entry.param]):
                if include.target in (None, target):
                    found.setdefault(target, {})[str(entry.v), str(entry.w)] = None
    return {type_name: list(names) for type_name, names in found.items()}


def _canonicals(
    extractor: Extractor, include: Include, key: Key, resource: dict[str, Any]
) -> Iterator[Entry]:
    if include.source not in ("*", key.type):
        return
    known = extractor.definitions.search_parameters(key.type)
    for code in known if include.param == "*" else (include.param,):
        if (
            code in known
            and known[code].type == "reference"
            and reads_canonicals(extractor.definitions, key.type, known[code])
        ):
            entries = extractor.references(resource, (code,))
            yield from (each for each in entries if ":" in str(each.v))


def _referring(definitions: Definitions, include: Include, resources: Resources) -> Node | None:
    parameters = definitions.search_parameters(include.source)
    nodes = []
    for code in parameters if include.param == "*" else (include.param,):
        if parameters[code].type != "reference":
            continue
        ends = targets(definitions, include.source, parameters[code])
        wanted = ends if include.target is None else (include.target,)
        if reads_canonicals(definitions, include.source, parameters[code]):
            pointed_at = (each for key, each in resources if key.type in wanted)
            names = [name for each in pointed_at for name in canonical.names(each)]
            nodes += [canonical.referring(code, names)] if names else []
            continue
        pointed = [str(key) for key, _ in resources if key.type in wanted]
        if pointed:
            nodes.append(anyone(code, (cond("v", "=", each) for each in pointed)))
    return either(*nodes) if nodes else None


def _unknown(type_name: str, known: Collection[Key]) -> tuple[Node, ...]:
    ids = frozenset(key.id for key in known if key.type == type_name)
    return (Not(Ids(ids)),) if ids else ()
