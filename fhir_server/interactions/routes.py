"""Method and path name an interaction: the one table, for HTTP requests and for Bundle entries.

https://hl7.org/fhir/R4/http.html#summary
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from fhir_server.errors import BadRequest, NotAllowed, NotFound
from fhir_server.interactions.interaction import Interaction, Name
from fhir_server.model import Key

ROUTES: Mapping[str, Mapping[str, Name]] = {
    "": {"GET": "search-system", "POST": "batch"},
    "metadata": {"GET": "capabilities"},
    "_history": {"GET": "history-system"},
    "_search": {"GET": "search-system", "POST": "search-system"},
    "_job/id": {"GET": "job", "DELETE": "cancel"},
    "$": {"GET": "operation", "POST": "operation"},
    "Type": {
        "GET": "search-type",
        "POST": "create",
        "PUT": "update",
        "PATCH": "patch",
        "DELETE": "delete",
    },
    "Type/_search": {"GET": "search-type", "POST": "search-type"},
    "Type/_history": {"GET": "history-type"},
    "Type/$": {"GET": "operation", "POST": "operation"},
    "Type/id": {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"},
    "Type/id/_history": {"GET": "history-instance"},
    "Type/id/_history/id": {"GET": "vread"},
    "Type/id/$": {"GET": "operation", "POST": "operation"},
    "Type/id/Type": {"GET": "search-compartment"},
    "Type/id/*": {"GET": "search-compartment"},
    "Type/id/_search": {"POST": "search-compartment"},
    "Type/id/Type/_search": {"POST": "search-compartment"},
    "Type/id/*/_search": {"POST": "search-compartment"},
}
"""Shape of a path -> method -> interaction; HEAD is GET without the body."""

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

_LITERAL = ("metadata", "_history", "_search", "_job", "*")
_MAX_PATH = 300


@lru_cache(maxsize=4096)
def route(method: str, path: str, types: frozenset[str], base: str = "") -> Interaction:
    """Return the interaction of a request: its name and what its path tells.

    `path` is what follows the `base`, decoded. Raises `NotFound` for no such place, `NotAllowed`
    for a method that is not for it, `BadRequest` for an id that cannot be one.

    >>> route("GET", "Patient/1", frozenset({"Patient"})).name
    'read'
    """
    names = _methods(path, types)
    name = names.get("GET" if method == "HEAD" else method)
    if name is None:
        raise NotAllowed(f"{method} is not for {path or 'the base'}; {allowed(path, types)} is.")
    safe = name == "operation" and method in ("GET", "HEAD")
    return replace(_interaction(name, path, types), base=base, safe=safe)


def allowed(path: str, types: frozenset[str]) -> str:
    """Return the methods that a path takes, as the Allow header lists them."""
    return ", ".join(_methods(path, types)).replace("GET", "GET, HEAD")


def _methods(path: str, types: frozenset[str]) -> Mapping[str, Name]:
    parts = _parts(path)
    names = ROUTES.get(_shape(parts))
    if names is None:
        raise NotFound("There is nothing at this address.")
    for place in (0, 2):
        if (
            len(parts) > place
            and _kind(place, parts[place]) == "Type"
            and parts[place] not in types
        ):
            raise NotFound(f"{parts[place]!r} is not a resource type.")
    return names


def _parts(path: str) -> list[str]:
    if len(path) > _MAX_PATH:
        raise NotFound("There is nothing at this address.")
    trimmed = path.strip("/")
    return trimmed.split("/") if trimmed else []


def _shape(parts: list[str]) -> str:
    return "/".join(_kind(place, part) for place, part in enumerate(parts))


def _kind(place: int, part: str) -> str:
    if part.startswith("$"):
        return "$"
    if part in _LITERAL:
        return part
    return "Type" if place in (0, 2) else "id"


def _interaction(name: Name, path: str, types: frozenset[str]) -> Interaction:
    parts = _parts(path)
    operation = parts[-1][1:] if parts and parts[-1].startswith("$") else ""
    if name == "search-compartment":
        _check_id(parts[1])
        type = "*" if parts[2] == "_search" else parts[2]
        return Interaction(name, type, compartment=Key(parts[0], parts[1]))
    if name in ("job", "cancel"):
        _check_id(parts[1])
        return Interaction(name, id=parts[1])
    type_ = parts[0] if parts and parts[0] in types else ""
    id_ = parts[1] if type_ and len(parts) > 1 and _kind(1, parts[1]) == "id" else ""
    if id_:
        _check_id(id_)
    vid = _vid(parts[3]) if name == "vread" else None
    return Interaction(name, type_, id_, vid=vid, operation=operation)


def _check_id(text: str) -> None:
    if not ID.fullmatch(text):
        raise BadRequest("An id has 1 to 64 letters, digits, '-' and '.'.")


def _vid(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,17}", text):
        raise NotFound(f"There is no version {text!r}.")
    return int(text)
