"""String parameters: compared without case, accents, width and punctuation, from the start.

https://hl7.org/fhir/R4/search.html#string

1. `v` is the folded text, `w` the text as it stands; `:exact` compares both.
2. Of a HumanName or Address each part of type string is searched, the words of a family name apart.
3. A name written in parts is also searched as East Asia writes it, family and given name together.
   Such entries that are no part of the resource have an empty `w`: `:exact` never meets them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_server.model import Entry
from fhir_server.search.alternatives import Alternatives, cond
from fhir_server.search.fold import fold

EXPECTED = "some text"

_ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")
_NAME = ("text", "family", "given", "prefix", "suffix")
_EAST_ASIAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\uac00-\ud7a3\U00020000-\U0003ffff]")


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield the texts of a string of any kind, a HumanName, an Address, or a coded value."""
    match fhir_type, value:
        case _, str():
            yield from plain(param, value)
        case "HumanName", dict():
            yield from _parts(param, value, _NAME)
            for derived in _names(value):
                yield Entry(param, fold(derived))
        case "Address", dict():
            yield from _parts(param, value, _ADDRESS)
        case "CodeableConcept", dict():
            yield from _parts(param, value, ("text",))
            for coding in value.get("coding", ()):
                yield from _parts(param, coding, ("display",))
        case "Coding", dict():
            yield from _parts(param, value, ("display",))


def family(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield the texts of a family name, its later words too."""
    yield from entries(param, fhir_type, value)
    if isinstance(value, str):
        yield from (Entry(param, fold(word)) for word in _later_words(value))


def plain(param: str, text: Any) -> Iterator[Entry]:
    """Yield the entry of one text; nothing for a blank one or for no text."""
    if isinstance(text, str):
        folded = fold(text)
        if folded:
            yield Entry(param, folded, text)


def _parts(param: str, value: dict[str, Any], names: Iterable[str]) -> Iterator[Entry]:
    for name in names:
        found = value.get(name)
        for text in found if isinstance(found, list) else (found,):
            yield from plain(param, text)


def _names(name: dict[str, Any]) -> Iterator[str]:
    family, given = name.get("family"), name.get("given", ())
    if not isinstance(family, str):
        return
    yield from _later_words(family)
    if _EAST_ASIAN.search(family):
        yield family + "".join(part for part in given if isinstance(part, str))


def _later_words(family: str) -> list[str]:
    return [word for word in re.split(r"[\s-]+", family)[1:] if fold(word)]


def alternatives(text: str, modifier: str = "") -> Alternatives:
    """Return what a string search text demands of an entry; raises ValueError for a blank one."""
    folded = fold(text)
    if not folded:
        raise ValueError(EXPECTED)
    if modifier == "exact":
        return (cond("v", "=", folded) + cond("w", "=", text),)
    return (cond("v", "contains" if modifier == "contains" else "prefix", folded),)
