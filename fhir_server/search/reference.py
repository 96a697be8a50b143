"""Reference parameters: local, absolute, versioned, canonical and logical references.

https://hl7.org/fhir/R4/search.html#reference

1. A reference to a record of this hub is `Type/id`, written so or as an absolute URL.
2. Any other stays as it is: absolute, `urn:`, or `#id` of a contained resource.
3. The version, of a record or of a canonical, stands apart; a search without one matches all.
4. `PARAM:identifier` holds the token of a logical reference.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_server.model import Entry
from fhir_server.search import token
from fhir_server.search.alternatives import Alternatives, Conds, cond

EXPECTED = "Type/id, an id or an absolute URL"
_LOCAL = re.compile(
    r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?", re.ASCII
)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


def entries(param: str, fhir_type: str, value: Any, base: str = "") -> Iterator[Entry]:
    """Yield a Reference, a canonical, a uri or a resource in place.

    `base` is the hub's own address, without a slash at its end.
    """
    match value:
        case str():
            # A canonical at this hub is an address and a name.
            yield from dict.fromkeys((_entry(param, value, base), _entry(param, value, "")))
        case {"resourceType": str() as kind, "id": str() as id}:
            yield Entry(param, f"{kind}/{id}")
        case dict():
            if isinstance(literal := value.get("reference"), str):
                yield _entry(param, literal, base)
            if isinstance(logical := value.get("identifier"), dict):
                found = token.entries(f"{param}:identifier", "Identifier", logical)
                yield from (each for each in found if each.param == f"{param}:identifier")


def _entry(param: str, text: str, base: str) -> Entry:
    return Entry(param, *taken_apart(text, base))


def taken_apart(text: str, base: str = "") -> tuple[str, str]:
    """Return a reference and its version, local where it points into this hub.

    >>> taken_apart("http://hub/fhir/Patient/1/_history/2", "http://hub/fhir")
    ('Patient/1', '2')
    >>> taken_apart("http://hl7.org/fhir/ValueSet/x|4.0.1")
    ('http://hl7.org/fhir/ValueSet/x', '4.0.1')
    """
    if base and text.startswith(base + "/"):
        text = text[len(base) + 1 :]
    if found := _LOCAL.fullmatch(text):
        return f"{found[1]}/{found[2]}", found[3] or ""
    if "|" in text:
        url, _, version = text.partition("|")
        return url, version
    plain, _, version = text.partition("/_history/")
    return plain, version


def alternatives(
    text: str, types: Iterable[str], known: Iterable[str], base: str = ""
) -> Alternatives:
    """Return what a reference text demands of an entry; raises ValueError with the form expected.

    `types` are those that a bare id may be of, `known` the types that a reference may name.
    """
    if _ID.fullmatch(text):
        return tuple(cond("v", "=", f"{each}/{text}") for each in types)
    literal, version = taken_apart(text, base)
    found = _LOCAL.fullmatch(literal)
    if found is None and ":" not in literal:
        raise ValueError(EXPECTED)
    if found is not None and found[1] not in known:
        raise ValueError(f"{EXPECTED}; there is no type {found[1]}")
    more: Conds = cond("w", "=", version) if version else ()
    return (cond("v", "=", literal) + more,)
