"""What `_include` and `_revinclude` add to a page, planned as ordinary searches.

https://hl7.org/fhir/R4/search.html#include

1. The first round follows every inclusion from the matches; a later one follows the iterating ones
   from what the round before added.
2. Each query is a search like any other: the caller joins its own predicate before a store sees it.
3. What is known already is not asked for again.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from conformance.definitions import Definitions
from fhir_server.model import Key, Query
from fhir_server.search.alternatives import anyone, cond
from fhir_server.search.elements import targets
from fhir_server.search.extract import Extractor
from fhir_server.search.search import Include, Search
from fhir_server.search.tree import Ids, Node, Not, both, either

Resources = Sequence[tuple[Key, dict[str, Any]]]


def plan(
    extractor: Extractor,
    search: Search,
    resources: Resources,
    *,
    known: Collection[Key] = (),
    again: bool = False,
) -> tuple[Query, ...]:
    """Return one query a type for what `resources` refer to or what refers to them.

    `resources` are the matches, with `again` those added by the round before. `known` keys are left
    out. Queries carry no authorization, and the default `limit`: the caller sets both.
    """
    wanted: dict[str, list[Node]] = {}
    for include in search.includes:
        if include.iterate or not again:
            for type_name, ids in _referred(extractor, include, resources, known).items():
                wanted.setdefault(type_name, []).append(Ids(frozenset(ids)))
    for include in search.revincludes:
        if include.iterate or not again:
            node = _referring(extractor.definitions, include, [key for key, _ in resources])
            if node is not None:
                fresh = _unknown(include.source, known)
                wanted.setdefault(include.source, []).append(both(node, *fresh))
    return tuple(Query(type_name, either(*nodes)) for type_name, nodes in wanted.items())


def _referred(
    extractor: Extractor, include: Include, resources: Resources, known: Collection[Key]
) -> dict[str, list[str]]:
    codes = None if include.param == "*" else (include.param,)
    found: dict[str, list[str]] = {}
    for key, resource in resources:
        if include.source in ("*", key.type):
            for target in _targets(extractor, resource, codes):
                if include.target in (None, target.type) and target not in known:
                    found.setdefault(target.type, []).append(target.id)
    return found


def _targets(
    extractor: Extractor, resource: dict[str, Any], codes: tuple[str, ...] | None
) -> Iterator[Key]:
    for entry in extractor.references(resource, codes):
        type_name, slash, id = str(entry.v).partition("/")
        if slash and ":" not in entry.param and extractor.definitions.is_resource_type(type_name):
            yield Key(type_name, id)


def _referring(definitions: Definitions, include: Include, keys: Sequence[Key]) -> Node | None:
    parameters = definitions.search_parameters(include.source)
    nodes = []
    for code in parameters if include.param == "*" else (include.param,):
        if parameters[code].type != "reference":
            continue
        ends = targets(definitions, include.source, parameters[code])
        wanted = ends if include.target is None else (include.target,)
        pointed = [str(key) for key in keys if key.type in wanted]
        if pointed:
            nodes.append(anyone(code, (cond("v", "=", each) for each in pointed)))
    return either(*nodes) if nodes else None


def _unknown(type_name: str, known: Collection[Key]) -> tuple[Node, ...]:
    ids = frozenset(key.id for key in known if key.type == type_name)
    return (Not(Ids(ids)),) if ids else ()
