"""`_list`: what stands in a List, or in one of the functional lists that the hub knows.

https://hl7.org/fhir/R4/search.html#list, https://hl7.org/fhir/R4/lifecycle.html#current

A functional list is no record: it is what its row below says, as of now. With `patient` it is that
patient's.
"""

import re
from collections.abc import Mapping

from fhir_server.errors import BadRequest
from fhir_server.search.escape import split
from fhir_server.search.place import Place
from fhir_server.search.tree import Cond, Has, Ids, Match, Node, Not, both, either

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


def _any(param: str, *codes: str) -> Node:
    return Match(param, (Cond("v", "in", codes),))


_NOT_WRONG = Not(_any("verification-status", "refuted", "entered-in-error"))
_ALLERGY = both(Not(_any("clinical-status", "inactive", "resolved")), _NOT_WRONG)

FUNCTIONAL: Mapping[str, Mapping[str, Node]] = {
    "$current-problems": {
        "Condition": both(_any("clinical-status", "active", "recurrence", "relapse"), _NOT_WRONG)
    },
    "$current-allergies": {"AllergyIntolerance": _ALLERGY},
    "$current-drug-allergies": {
        "AllergyIntolerance": both(_any("category", "medication"), _ALLERGY)
    },
    "$current-medications": {
        "MedicationStatement": _any("status", "active", "intended", "on-hold"),
        "MedicationRequest": _any("status", "active", "on-hold"),
    },
}
"""Name -> type -> what is in the list."""


def listed(place: Place, modifier: str, text: str) -> Node:
    """Return the predicate of `_list=text`: ids of Lists, or names of functional lists.

    Raises `BadRequest` for a list that is not known, or never holds the type.
    """
    if modifier:
        raise BadRequest(f"_list:{modifier}: it takes no modifier")
    return either(*(_in_list(place, each) for each in split(text, ",")))


def _in_list(place: Place, name: str) -> Node:
    if not name.startswith("$"):
        id = name.removeprefix("List/")
        if not _ID.fullmatch(id):
            raise BadRequest(f"_list={name}: expected the id of a List, or {', '.join(FUNCTIONAL)}")
        return Has("List", "item", Ids(frozenset((id,))))
    held = FUNCTIONAL.get(name)
    if held is None:
        raise BadRequest(f"_list={name}: known functional lists are {', '.join(FUNCTIONAL)}")
    if place.type not in held:
        raise BadRequest(f"_list={name}: such a list holds {', '.join(held)}")
    return held[place.type]
