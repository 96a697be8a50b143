"""`_text` and `_content`: the words of the narrative, and those of the whole resource.

https://hl7.org/fhir/R4/search.html#content
"""

from fhir_server.errors import BadRequest, BeingIndexed, NotSupported
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.phrases import phrases
from fhir_server.search.terms import Terms
from fhir_server.search.tree import Node, Not, Words


class NotKept(NotSupported):
    """The words of a type are not kept."""


def sought(terms: Terms, type: str, name: str, text: str) -> Node:
    """Return the predicate of `_text` or `_content`, with its modifier, on a type.

    Raises `BadRequest` for what cannot be read, `NotKept` where there are none,
    `BeingIndexed` where not those of all records are kept yet.
    """
    code, _, modifier = name.partition(":")
    if not terms.full_text.covers(type):
        raise NotKept(f"{name}: the words of {type} are not kept here (setting full_text)")
    settled(terms, type)
    if modifier not in ("", "missing"):
        raise BadRequest(f"{name}: allowed here: :missing")
    if modifier and text not in ("true", "false"):
        raise BadRequest(f"{name}={text}: expected true or false")
    if modifier:
        some = Words(SCOPES[code])
        return Not(some) if text == "true" else some
    try:
        return phrases(SCOPES[code], text)
    except ValueError as fault:
        raise BadRequest(f"{name}={text}: cannot be read; expected {fault}") from None


def settled(terms: Terms, type: str) -> None:
    """Raise `BeingIndexed` where the words of some records of a type are not kept yet."""
    if any(code in terms.blocked.get(type, ()) for code in SCOPES):
        raise BeingIndexed(f"The words of {type} are being indexed: {terms.progress}")
