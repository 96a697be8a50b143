"""One criterion of a search: on the type, behind one of its references, or on what points to it.

https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has

    name[:modifier]              a parameter of this type
    param[:Type].CRITERION       a chain: the record that `param` points to
    _has:Type:param:CRITERION    a reverse chain: some record of Type that points here
"""

import re

from fhir_server.errors import BadRequest, NotSupported
from fhir_server.search import date, joins
from fhir_server.search.alternatives import Alternatives
from fhir_server.search.asked import Asked
from fhir_server.search.condition import condition
from fhir_server.search.escape import split
from fhir_server.search.filtered import filtered
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.lists import listed
from fhir_server.search.place import Place, parameter
from fhir_server.search.sought import sought
from fhir_server.search.terms import Terms
from fhir_server.search.tree import (
    EVERYTHING,
    NOTHING,
    Ids,
    Node,
    Not,
    Operator,
    Updated,
    either,
)
from fhir_server.search.unions import stored

NOT_YET = frozenset(("_query",))
"""Parameters of R4 that the hub does not follow yet."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_OF_THE_START: dict[Operator, Operator] = {">": ">=", "<=": "<"}


def criterion(place: Place, name: str, text: str) -> Node:
    """Return the predicate of `name=text` on the type.

    Raises `Unknown` for a parameter that the type does not have, `BadRequest` for what cannot be
    read, `NotSupported` for what the hub does not do yet.
    """
    if name.startswith("_has:"):
        return joins.reverse(place, name, lambda there, rest: criterion(there, rest, text))
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if dot:
        return joins.chain(place, code, modifier, lambda there: criterion(there, rest, text))
    if code == "_id":
        return _identity(modifier, text)
    if code == "_lastUpdated":
        return _updated(place.terms, modifier, text)
    if code in SCOPES:
        return sought(place.terms, place.type, head, text)
    if code == "_list":
        return listed(place, modifier, text)
    if code == "_filter" and not modifier:
        return filtered(place, text, criterion)
    if code in NOT_YET:
        raise NotSupported(f"The parameter {code} is not supported yet")
    found = parameter(place, code)
    if not text:
        raise BadRequest(f"{name}= has no value; leave it out, or give one")
    asked = Asked(place.definitions, place.terms, place.type, found, modifier)
    return stored(place.definitions, place.type, condition(asked, text))


def _identity(modifier: str, text: str) -> Node:
    if modifier == "missing":
        return _always(f"_id:{modifier}", text)
    if modifier not in ("", "not"):
        raise BadRequest(f"_id:{modifier}: allowed here: :missing, :not")
    ids = split(text, ",")
    if not all(_ID.fullmatch(each) for each in ids):
        raise BadRequest(f"_id={text}: expected ids of 1 to 64 letters, digits, '-' and '.'")
    return Not(Ids(frozenset(ids))) if modifier else Ids(frozenset(ids))


def _updated(terms: Terms, modifier: str, text: str) -> Node:
    if modifier == "missing":
        return _always(f"_lastUpdated:{modifier}", text)
    if modifier:
        raise BadRequest(f"_lastUpdated:{modifier}: allowed here: :missing")
    try:
        read = [conds for each in split(text, ",") for conds in _moments(each, terms)]
    except ValueError as fault:
        raise BadRequest(f"_lastUpdated={text}: cannot be read; expected {fault}") from None
    return either(*(Updated(conds) for conds in read))


def _moments(text: str, terms: Terms) -> Alternatives:
    """As for any date; `lastUpdated` is a moment, the millisecond that begins with `v`."""
    low, high, prefix = date.asked(text, terms.zone)
    return tuple(
        # The end lies one after the start: w > x is v >= x, and w <= x is v < x.
        tuple(
            dict.fromkeys(
                each if each.column == "v" else each._replace(column="v", op=_OF_THE_START[each.op])
                for each in conds
            )
        )
        for conds in date.compared(prefix, low, high, terms.now)
    )


def _always(name: str, text: str) -> Node:
    """Every record has an id and a time: `:missing` is decided by its value."""
    if text not in ("true", "false"):
        raise BadRequest(f"{name}={text}: expected true or false")
    return EVERYTHING if text == "false" else NOTHING
