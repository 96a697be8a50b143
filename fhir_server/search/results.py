"""Parameters that shape the answer: order, size, total, what is included and what is left out.

https://hl7.org/fhir/R4/search.html#return
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fhir_server.errors import BadRequest
from fhir_server.model import Sort
from fhir_server.search.elements import targets
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.place import Place, check_ready, parameter, reference
from fhir_server.search.quantity import CANONICAL
from fhir_server.search.search import Include
from fhir_server.search.unions import parts

SCORE = "_score"
MEASURED: dict[str, tuple[str, ...]] = {SCORE: tuple(SCOPES), "near": ("near",)}
"""Key of an order -> the parameters one of which says what is measured."""

_COUNT = re.compile(r"\d{1,9}", re.ASCII)

Changes = dict[str, Any]
"""Fields of a `Search`."""

Reader = Callable[[Place, Changes, str], Changes]
"""Takes what was told before, and the text; returns what the text changes of it."""


def _sort(place: Place, before: Changes, text: str) -> Changes:
    keys = list(before.get("sort", ()))
    for each in text.split(","):
        code, descending = each.removeprefix("-"), each.startswith("-")
        if code not in ("_id", "_lastUpdated", SCORE):
            found = parameter(place, code)
            if found.type in ("composite", "special") and code not in MEASURED:
                raise BadRequest(f"_sort={each}: a {found.type} parameter gives no order")
            if found.type == "quantity":
                code += CANONICAL
        if all(code != key.param for key in keys):  # what is sorted by already orders nothing more
            keys.append(_key(place, code, descending))
    return {"sort": tuple(keys)}


def _key(place: Place, code: str, descending: bool) -> Sort:
    found = parts(place.definitions, place.type, code)
    known = place.definitions.search_parameters(place.type).get(code)
    is_text = known is not None and known.type == "string"
    among = found if found != (code,) else ()
    return Sort(code, descending, among=among, written=is_text)


def _count(place: Place, before: Changes, text: str) -> Changes:
    if not _COUNT.fullmatch(text):
        raise BadRequest(f"_count={text}: expected a whole number, 0 or more")
    return {"count": min(int(text), place.terms.page_limit)}


def _one_of(name: str, field: str, *allowed: str) -> Reader:
    def read(place: Place, before: Changes, text: str) -> Changes:
        if text not in allowed:
            raise BadRequest(f"{name}={text}: expected one of {', '.join(allowed)}")
        return {field: text}

    return read


_total = _one_of("_total", "total", "none", "estimate", "accurate")


def _elements(place: Place, before: Changes, text: str) -> Changes:
    known = place.definitions.elements(place.type)
    others = tuple(f"{each}." for each in place.found - {place.type})
    names = [
        each.removeprefix(f"{place.type}.")
        for each in text.split(",")
        if not each.startswith(others)
    ]
    for name in names:
        if name == "resourceType":  # no element, but a property that clients name among them
            continue
        element = known.get(name.removesuffix("[x]"))
        if element is None and not any(
            name == prop for each in known.values() for prop, _ in each.properties()
        ):
            raise BadRequest(f"_elements={text}: {place.type} has no element {name!r}")
    return {"elements": (*before.get("elements", ()), *names)}


def _total_method(place: Place, before: Changes, text: str) -> Changes:
    """Read what some clients write for `_total`; its `count` is accurate."""
    return _total(place, before, "accurate" if text == "count" else text)


def _cursor(place: Place, before: Changes, text: str) -> Changes:
    return {"cursor": text}


def _explain(place: Place, before: Changes, text: str) -> Changes:
    if text not in ("true", "false"):
        raise BadRequest(f"_explain={text}: expected true or false")
    return {"explain": text == "true"}


ONCE: dict[str, Reader] = {
    "_count": _count,
    "_total": _total,
    "_totalMethod": _total_method,
    "_summary": _one_of("_summary", "summary", "true", "text", "data", "count", "false"),
    "_contained": _one_of("_contained", "contained", "false", "true", "both"),
    "_containedType": _one_of("_containedType", "contained_type", "container", "contained"),
    "_cursor": _cursor,
    "_explain": _explain,
}
"""Parameters that may stand once, and what each changes."""


def _included(place: Place, before: Changes, text: str, iterate: bool) -> Changes:
    found = _include(place, text, iterate, "_include")
    if not iterate and found.source not in ("*", *place.found):
        raise BadRequest(
            f"_include={text}: the search finds {', '.join(sorted(place.found)[:5])}; "
            f"to follow what was included, write _include:iterate"
        )
    return {"includes": (*before.get("includes", ()), found)}


def _reverse_included(place: Place, before: Changes, text: str, iterate: bool) -> Changes:
    found = _include(place, text, iterate, "_revinclude")
    if found.param == "*":
        _refuse_blocked(place, found.source)
    if not iterate and found.target not in (None, *place.found):
        raise BadRequest(
            f"_revinclude={text}: the search finds {', '.join(sorted(place.found)[:5])}; "
            f"to follow what was included, write _revinclude:iterate"
        )
    return {"revincludes": (*before.get("revincludes", ()), found)}


def _refuse_blocked(place: Place, source: str) -> None:
    """Raise `BeingIndexed` where all references of a type (`*`: of any) are asked for too early."""
    for name in place.terms.blocked if source == "*" else (source,):
        known = place.definitions.search_parameters(name)
        for code in place.terms.blocked.get(name, ()):
            if code in known and known[code].type == "reference":
                check_ready(replace(place, type=name), code)


def _include(place: Place, text: str, iterate: bool, name: str) -> Include:
    """Read `Source:param[:Target]`, `Source:*` or `*`."""
    if text == "*":
        return Include("*", "*", None, iterate)
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise BadRequest(f"{name}={text}: expected Type:parameter, Type:parameter:Type or Type:*")
    for each in (parts[0], *parts[2:]):
        if not place.definitions.is_resource_type(each):
            raise BadRequest(f"{name}={text}: there is no resource type {each!r}")
    source, code, target = parts[0], parts[1], parts[2] if len(parts) == 3 else None
    if code != "*":
        there = Place(place.definitions, place.terms, source, 0)
        found = reference(there, code)
        if target and target not in targets(place.definitions, source, found):
            raise BadRequest(f"{name}={text}: {source}.{code} never points to {target}")
    return Include(source, code, target, iterate)


MANY: dict[str, Reader] = {
    "_sort": _sort,
    "_elements": _elements,
    "_include": lambda place, before, text: _included(place, before, text, False),
    "_include:iterate": lambda place, before, text: _included(place, before, text, True),
    "_revinclude": lambda place, before, text: _reverse_included(place, before, text, False),
    "_revinclude:iterate": lambda place, before, text: _reverse_included(place, before, text, True),
}
"""Parameters that may stand several times, and what each adds."""
