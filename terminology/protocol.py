"""What searches ask of a terminology, whoever keeps it."""

from typing import Literal, Protocol

from terminology.extent import Extent


class Terminology(Protocol):
    """Knows value sets and code systems as one caller may see them.

    Both raise `Missing` for what is not there (or not for this caller), `TooCostly` for what is too
    much, and `TerminologyError` for what means nothing.
    """

    async def members(self, value_set: str, /) -> Extent:
        """Return the codes of a value set, given by canonical URL or literal reference."""

    async def related(
        self, system: str, code: str, direction: Literal["above", "below"], /
    ) -> frozenset[str]:
        """Return a code and all that stand above or below it in its system."""
