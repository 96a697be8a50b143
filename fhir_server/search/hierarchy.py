"""References `:above` and `:below`: through the hierarchy of what is referred to, or by version.

https://hl7.org/fhir/R4/search.html#recursive, https://hl7.org/fhir/R4/search.html#versions

1. A type has a hierarchy where one of its parameters refers to its own parent: Location.partOf,
   Organization.partOf, Encounter.partOf and their like.
2. `location:below=Location/1` finds what refers to it or to a part of it, at any depth;
   `location:above` what refers to it or to what it is a part of.
3. Of canonical references, `:below` finds all versions that begin with the one asked, `1` for 1.0
   and 1.1; `:above` those that the one asked begins with.
"""

from collections.abc import Iterable, Iterator

from conformance.definitions import Definitions
from fhir_server.search.alternatives import Alternatives, anyone, cond
from fhir_server.search.elements import reads_canonicals, targets
from fhir_server.search.tree import Along, Direction, Node, either

_PARENTS = ("partof", "part-of", "parent")


def parent(definitions: Definitions, type_name: str) -> str | None:
    """Return the parameter by which a record of a type refers to its parent, None if it has none.

    >>> from conformance.definitions import load
    >>> parent(load(), "Location"), parent(load(), "Patient")
    ('partof', None)
    """
    known = definitions.search_parameters(type_name)
    for code in _PARENTS:
        found = known.get(code)
        if (
            found is not None
            and type_name in targets(definitions, type_name, found)
            and not reads_canonicals(definitions, type_name, found)
        ):
            return code
    return None


def along(
    definitions: Definitions, param: str, references: Iterable[str], direction: Direction
) -> Node:
    """Return that `param` refers to one of the literal references, or above or below it."""
    apart: list[str] = []
    types: dict[tuple[str, str], set[str]] = {}
    for each in references:
        type_name, _, id = each.partition("/")
        found = parent(definitions, type_name) if definitions.is_resource_type(type_name) else None
        if found is None:
            apart.append(each)
        else:
            types.setdefault((type_name, found), set()).add(id)
    return either(
        anyone(param, (cond("v", "=", each) for each in apart)),
        *(Along(param, direction, t, frozenset(ids), up) for (t, up), ids in types.items()),
    )


def versions(url: str, version: str, direction: Direction) -> Alternatives:
    """Return what a canonical demands of an entry whose version stands apart.

    >>> len(versions("http://x", "1.0", "above"))
    2
    """
    here = cond("v", "=", url)
    if not version:
        return (here,)
    if direction == "below":
        below = cond("w", "prefix", f"{version}.")
        return here + cond("w", "=", version), here + below
    return tuple(here + cond("w", "=", each) for each in _beginnings(version))


def _beginnings(version: str) -> Iterator[str]:
    while version:
        yield version
        version = version.rpartition(".")[0]
