"""Searches of contained resources: `_contained` and `_containedType`.

https://hl7.org/fhir/R4/search.html#contained

1. What is contained is found in its container, whatever type that is of, under the predicate that
   the caller has for containers of that type.
2. A container that is found for itself is not shown a second time as a container.
3. A contained resource has the address of its container and its `#id`.
"""

from collections.abc import Iterator, Mapping

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict, visible
from fhir_server.errors import NotSupported
from fhir_server.interactions.bundle import found_part
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.merged import Ranked
from fhir_server.interactions.reach import TRAIL, Reach, inside_of
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import Subset, reduced
from fhir_server.model import Key, Query, Version
from fhir_server.search.contained import contained, inside
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.search import Search
from fhir_server.search.tree import EVERYTHING, NOTHING, Contained, Node, Not, both, either

_HOLDS_NOTHING = frozenset(("Binary", "Bundle", "Parameters", TRAIL))
_SORTS = ("_id", "_lastUpdated")


def check(search: Search) -> None:
    """Raise `NotSupported` for what cannot be asked of contained resources."""
    if search.contained == "false":
        return
    if any(sort.param not in _SORTS for sort in search.sort):
        raise NotSupported(f"Containers are sorted by {' and '.join(_SORTS)} alone")
    counts = search.total in ("accurate", "estimate") or search.summary == "count"
    if are_opened(search) and (counts or search.count == 0):
        raise NotSupported("Contained resources are not counted; their containers are")


def are_opened(search: Search) -> bool:
    """Tell whether contained resources are shown in place of their containers."""
    return search.contained != "false" and search.contained_type == "contained"


def queries(
    server: Server,
    caller: Caller,
    ask: Interaction,
    over: Reach,
    searches: Mapping[str, Search],
) -> Iterator[Ranked]:
    """Yield a query for each type of containers that the caller may search; their ranks follow
    those of the types that are searched.

    Raises `NotSupported` for criteria that are not asked of contained resources.
    """
    holds = restrict(either(*wanted(over, searches)), caller)
    types = sorted(server.definitions.resource_types - _HOLDS_NOTHING)
    for rank, type in enumerate(types, len(searches)):
        there = EVERYTHING if ask.compartment is None else inside_of(server, ask.compartment, type)
        where = both(visible(caller, type), there)
        if where == NOTHING:
            continue
        search = searches.get(type) or next(iter(searches.values()))
        if search.contained == "both" and search.contained_type == "container":
            where = both(where, *_not_itself(caller, over, searches, type))
        limit, now = search.count, caller.now
        query = Query(type, both(where, holds), sort=search.sort, limit=limit, now=now)
        yield Ranked(rank, query)


def _not_itself(
    caller: Caller, over: Reach, searches: Mapping[str, Search], type: str
) -> Iterator[Node]:
    if type in over.where:
        yield Not(both(over.where[type], restrict(searches[type].where, caller)))


def wanted(over: Reach, searches: Mapping[str, Search]) -> list[Contained]:
    """Return what is sought in a container. Raises `NotSupported`."""
    return [Contained(type, inside(searches[type].where)) for type in over.where]


def parts(
    server: Server, base: str, over: Reach, searches: Mapping[str, Search], version: Version
) -> Iterator[bytes]:
    """Yield the entries of the contained resources of a version that are found."""
    resource = fhirjson.resource(version)
    entries = server.extractor.entries(resource)
    met = {
        (each.type, id)
        for each in wanted(over, searches)
        for id, said in contained(each.type, entries)
        if evaluate(each.where, Plain(Key(each.type, id), version.updated, said, ()))
    }
    for inner in resource["contained"]:
        type, id = inner.get("resourceType"), inner.get("id")
        if (type, id) in met:
            search = searches[type]
            subset = Subset(search.summary, search.elements, type)
            shown = inner if subset.is_whole else reduced(server.definitions, subset, inner)
            yield found_part(base, version.key, id, fhirjson.encode(shown))
