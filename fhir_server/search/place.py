"""Where a criterion stands, and the parameters that are known there."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from conformance.definitions import Definitions, SearchParameter
from fhir_server.errors import BadRequest, BeingIndexed
from fhir_server.search.terms import Terms
from fhir_server.search.unions import parts


class Unknown(BadRequest):
    """The type has no such parameter."""

    code = "not-found"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a criterion stands: on which type, and how many joins it may still hold.

    `found` are all the types that the search finds, this one among them.
    """

    definitions: Definitions
    terms: Terms
    type: str
    joins: int
    found: frozenset[str] = frozenset()

    def across(self, type_name: str) -> "Place":
        """Return the place behind one join; raises `BadRequest` where that is one too many."""
        if self.joins == 0:
            raise BadRequest(f"A parameter may chain through {self.terms.depth} references at most")
        return replace(self, type=type_name, joins=self.joins - 1)


def check_ready(place: Place, code: str) -> None:
    """Raise `BeingIndexed` where not all records are indexed by a parameter yet."""
    if code in place.terms.blocked.get(place.type, ()):
        raise BeingIndexed(f"{place.type} is being indexed by {code}: {place.terms.progress}")


def parameter(place: Place, code: str) -> SearchParameter:
    """Return a parameter of the type; raises `Unknown` with the names that are close to it.

    Raises `BeingIndexed` for one that not all records are indexed by yet.
    """
    check_ready(place, code)
    known = place.definitions.search_parameters(place.type)
    if code in known:
        for part in parts(place.definitions, place.type, code):
            check_ready(place, part)
        return known[code]
    close = get_close_matches(code, known, n=3)
    hint = f"; perhaps {' or '.join(close)}" if close else ""
    raise Unknown(f"{place.type} has no search parameter {code!r}{hint}")


def reference(place: Place, code: str) -> SearchParameter:
    """Return a reference parameter of the type; raises `BadRequest` for one of another type."""
    found = parameter(place, code)
    if found.type != "reference":
        raise BadRequest(f"{place.type}.{code} is a {found.type} parameter, not a reference")
    return found
