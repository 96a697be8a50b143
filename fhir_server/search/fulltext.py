"""For which types the words of resources are kept, so that `_text` and `_content` find them.

https://hl7.org/fhir/R4/search.html#content
"""

from collections.abc import Collection
from dataclasses import dataclass

from fhir_server.search.phrases import Scope

SCOPES: dict[str, Scope] = {"_text": "text", "_content": "content"}
"""Parameter -> which words it is about."""


@dataclass(frozen=True, slots=True)
class FullText:
    """The types whose words are kept; `None`: all."""

    types: frozenset[str] | None = None

    def covers(self, type: str) -> bool:
        """Tell whether the words of a type are kept."""
        return self.types is None or type in self.types

    def silent(self, known: Collection[str]) -> tuple[str, ...]:
        """Return those of the types whose words are not kept, in order."""
        return tuple(sorted(type for type in known if not self.covers(type)))


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
