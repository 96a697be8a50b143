"""A search request's parameters, read into a `Search`. https://hl7.org/fhir/R4/search.html

1. Criteria are joined by and; a comma inside a value means or.
2. An unknown parameter is a 400 that names it and its neighbours; under lenient handling it is left
   out, reported, and absent from the self link.
3. A value that cannot be read is a 400 under both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from conformance.definitions import Definitions
from conformance.issues import Issue
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.model import Sort
from fhir_server.search.criteria import criterion
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.place import Place, Unknown
from fhir_server.search.results import MANY, MEASURED, ONCE, SCORE, Changes
from fhir_server.search.search import Search
from fhir_server.search.terms import Terms
from fhir_server.search.tree import And, Near, Node, Or, Words, both

ELSEWHERE = ("_format", "_pretty")
"""Parameters that the edge follows."""

MEASURES = 50
"""Phrases or places by which records may be sorted: each is sought in each record that matches."""

_DEFAULT = Terms()


def parse(
    definitions: Definitions,
    type_name: str,
    params: Sequence[tuple[str, str]],
    terms: Terms = _DEFAULT,
    found: frozenset[str] | None = None,
) -> Search:
    """Return what the decoded parameters ask of a type. `found` are all that the search finds.

    Raises `BadRequest` for what cannot be understood, `NotSupported` for what the hub does not do
    yet.

    >>> from conformance.definitions import load
    >>> parse(load(), "Patient", [("_id", "1"), ("_count", "5")]).count
    5
    """
    found = frozenset((type_name,)) if found is None else found
    place = Place(definitions, terms, type_name, terms.depth, found)
    shape: Changes = {"count": terms.page}
    wheres: list[Node] = []
    measures: list[Words | Near] = []
    used: list[tuple[str, str]] = []
    problems: list[Issue] = []
    seen: set[str] = set()
    for name, text in params:
        if name in ELSEWHERE:
            continue
        try:
            if name in ONCE or name in MANY:
                shape |= _shaped(place, shape, name, text, seen)
            else:
                _refuse_modifier(name)
                wheres.append(criterion(place, name, text))
                measures += _measures(name, wheres[-1])
        except (Unknown, NotSupported) as fault:
            if not terms.lenient:
                raise
            problems += _warnings(fault)
        else:
            used.append((name, str(shape["count"]) if name == "_count" else text))
    shape["sort"] = tuple(_measuring(shape.get("sort", ()), measures))
    return Search(
        type_name,
        both(*wheres),
        used=tuple(used),
        problems=tuple(problems),
        measures=tuple(measures),
        **shape,
    )


def _measures(name: str, node: Node) -> Iterator[Words | Near]:
    """Yield the words and places that a match may have; nothing for what says something else."""
    if name in (*SCOPES, "near"):
        match node:
            case And(nodes) | Or(nodes):
                for inner in nodes:
                    yield from _measures(name, inner)
            case Words() | Near():
                yield node


def _measuring(sort: Iterable[Sort], measures: Sequence[Words | Near]) -> Iterator[Sort]:
    """Yield the keys of the order, those that are measured with what they are measured by."""
    for key in sort:
        if key.param not in MEASURED:
            yield key
            continue
        kind = Words if key.param == SCORE else Near
        by = tuple(node for node in measures if isinstance(node, kind))
        if len(by) > MEASURES:
            needed = "phrases" if kind is Words else "places"
            raise BadRequest(f"_sort={key.param}: to measure by, at most {MEASURES} {needed}")
        if not by:
            needed = " or ".join(MEASURED[key.param])
            raise BadRequest(f"_sort={key.param}: there is nothing to measure by; add {needed}")
        yield key._replace(by=by)


def _shaped(place: Place, shape: Changes, name: str, text: str, seen: set[str]) -> Changes:
    if not text:
        raise BadRequest(f"{name}= has no value; leave it out, or give one")
    if name in MANY:
        return MANY[name](place, shape, text)
    if name in seen:
        raise BadRequest(f"{name} is given twice; one of them is meant")
    seen.add(name)
    return ONCE[name](place, shape, text)


def _refuse_modifier(name: str) -> None:
    """Raise `BadRequest` for a modifier of what shapes the answer, but `:iterate`."""
    code, colon, _ = name.partition(":")
    if colon and (code in ONCE or code in MANY):
        takes = [each for each in MANY if each.startswith(f"{code}:")]
        raise BadRequest(f"{name}: expected {' or '.join([code, *takes])}")


def _warnings(fault: BadRequest | NotSupported) -> tuple[Issue, ...]:
    return tuple(replace(issue, severity="warning") for issue in fault.issues)
