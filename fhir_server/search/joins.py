"""Criteria behind a reference, or on what refers here: a chain, a reverse chain.

https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has
"""

from collections.abc import Callable

from conformance.definitions import SearchParameter
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.search.elements import reads_canonicals, targets
from fhir_server.search.place import Place, Unknown, check_ready, reference
from fhir_server.search.sought import NotKept
from fhir_server.search.tree import Chain, Has, Node, either

Inner = Callable[[Place], Node]
"""Reads what stands behind a join, on the type that it leads to."""


def chain(place: Place, code: str, target: str, inner: Inner) -> Node:
    """Return that `code` refers to a record of `target` (empty: of any) for which `inner` holds.

    Raises `BadRequest` where that cannot be, what none of the types understands, and `NotKept`
    where the words of one of them are not kept: the answer would lack its records.
    """
    found = reference(place, code)
    canonical = reads_canonicals(place.definitions, place.type, found)
    if target:
        check_target(place, found, target)
        return _chain(place, code, target, inner, canonical)
    nodes, faults = [], []
    for each in targets(place.definitions, place.type, found):
        try:
            nodes.append(_chain(place, code, each, inner, canonical))
        except NotKept:
            raise
        except (BadRequest, NotSupported) as fault:
            faults.append(fault)
    if not nodes:
        # What one type can say about the value is more use than that another lacks the parameter.
        raise min(faults, key=lambda fault: isinstance(fault, Unknown))
    return either(*nodes)


def _chain(place: Place, code: str, target: str, inner: Inner, canonical: bool) -> Chain:
    there = place.across(target)
    if canonical:
        check_ready(there, "url")
    return Chain(code, target, inner(there), canonical)


def check_target(place: Place, found: SearchParameter, target: str) -> None:
    """Raise `BadRequest` where a reference parameter never points to that type."""
    if not place.definitions.is_resource_type(target):
        raise BadRequest(f"{found.code}:{target}: there is no resource type {target!r}")
    ends = targets(place.definitions, place.type, found)
    if target not in ends:
        raise BadRequest(
            f"{place.type}.{found.code} never points to {target}; it may point to {', '.join(ends)}"
        )


def reverse(place: Place, name: str, inner: Callable[[Place, str], Node]) -> Node:
    """Return the reverse chain `_has:Type:reference:rest`; `inner` reads the rest."""
    parts = name.split(":", 3)
    if len(parts) < 4 or not all(parts):
        raise BadRequest(f"{name}: expected _has:Type:reference:parameter")
    _, type_name, code, rest = parts
    if not place.definitions.is_resource_type(type_name):
        raise BadRequest(f"{name}: there is no resource type {type_name!r}")
    there = place.across(type_name)
    found = reference(there, code)
    check_target(there, found, place.type)
    canonical = reads_canonicals(there.definitions, type_name, found)
    if canonical:
        check_ready(place, "url")
    return Has(type_name, code, inner(there, rest), canonical)
