"""`_text` and `_content`: words of the narrative and of the whole resource, where they are kept.

https://hl7.org/fhir/R4/search.html#content
"""

from collections.abc import Collection
from dataclasses import dataclass

from fhir_server.errors import BadRequest, NotSupported
from fhir_server.search.phrases import Scope, phrases
from fhir_server.search.tree import Node, Not, Words

SCOPES: dict[str, Scope] = {"_text": "text", "_content": "content"}
"""Parameter -> which words it is about."""


@dataclass(frozen=True, slots=True)
class FullText:
    """The types whose words are kept; `None`: all."""

    types: frozenset[str] | None = None

    def covers(self, type: str) -> bool:
        """Tell whether the words of a type are kept."""
        return self.types is None or type in self.types


EVERYWHERE = FullText()


def full_text(setting: str, known: Collection[str]) -> FullText:
    """Return what a setting says: `on`, `off`, or types by commas. Raises ValueError.

    >>> full_text("Flag,List", ["Flag", "List", "Task"]).covers("Task")
    False
    """
    if setting in ("on", "off"):
        return FullText(None if setting == "on" else frozenset())
    types = frozenset(setting.split(","))
    if unknown := sorted(types.difference(known)):
        raise ValueError(f"full_text is {setting!r}: expected on, off or types, not {unknown[0]!r}")
    return FullText(types)


def sought(kept: FullText, type: str, name: str, text: str) -> Node:
    """Return the predicate of `_text` or `_content`, with its modifier, on a type.

    Raises `BadRequest` for what cannot be read, `NotSupported` where the words are not kept.
    """
    code, _, modifier = name.partition(":")
    if not kept.covers(type):
        raise NotSupported(f"{name}: the words of {type} are not kept here (setting full_text)")
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
