"""SMART App Launch 2.2 scopes: parsed once, compared by type and verb.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from conformance.issues import Issue
from fhir_server.errors import BadRequest

VERBS = "cruds"
_V1 = {"read": "rs", "write": "cud", "*": VERBS}
_SHAPE = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.(\*|read|write|c?r?u?d?s?)")


class Scope(NamedTuple):
    """`level/type.verbs`: patient, user or system; a type or `*`; a subset of `cruds`."""

    level: str
    type: str
    verbs: str

    def __str__(self) -> str:
        """Return the scope as SMART version 2 writes it."""
        return f"{self.level}/{self.type}.{self.verbs}"


def parse(text: str, types: Collection[str]) -> tuple[Scope, ...]:
    """Read scopes separated by spaces; `types` are the resource types that exist.

    Verbs of version 1 are taken as their meaning in version 2. Raises `BadRequest` with an issue
    for each part that is no scope, names an unknown type, or carries a query, and where levels are
    mixed: together they would allow more than either was meant to.

    >>> [str(scope) for scope in parse("user/Patient.read user/Task.cu", {"Patient", "Task"})]
    ['user/Patient.rs', 'user/Task.cu']
    """
    issues: list[Issue] = []
    scopes: dict[Scope, None] = {}
    for part in filter(None, text.split(" ")):
        found = _one(part, types)
        if isinstance(found, Issue):
            issues.append(found)
        else:
            scopes[found] = None
    if len({scope.level for scope in scopes}) > 1:
        issues.append(Issue("invalid", "Scopes of different levels cannot be combined."))
    if not scopes and not issues:
        issues.append(Issue("invalid", "At least one scope is needed."))
    if issues:
        raise BadRequest(*issues)
    return tuple(scopes)


def _one(part: str, types: Collection[str]) -> Scope | Issue:
    if "?" in part:
        return Issue("not-supported", f"The scope {part!r} has a query: not supported yet.")
    shape = _SHAPE.fullmatch(part)
    verbs = _V1.get(shape[3], shape[3]) if shape else ""
    if shape is None or not verbs:
        return Issue(
            "invalid",
            f"{part!r} is no scope; expected (patient|user|system)/(Type|*).verbs, "
            "the verbs in the order c r u d s.",
        )
    if shape[2] != "*" and shape[2] not in types:
        return Issue("invalid", f"The scope {part!r} names no resource type of R4.")
    return Scope(shape[1], shape[2], verbs)


def text(scopes: Iterable[Scope]) -> str:
    """Return the canonical text of scopes, which `parse` reads back."""
    return " ".join(str(scope) for scope in scopes)


def permits(scopes: Iterable[Scope], type: str, letter: str) -> bool:
    """Say whether some scope has the verb `letter` (of `cruds`) for `type`."""
    return any(letter in scope.verbs and scope.type in ("*", type) for scope in scopes)
