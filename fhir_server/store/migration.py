"""What a store's schema says of itself, and the numbered steps from an older one to this version's.

1. A store carries the number of its schema. One with a lower number is not opened before
   `fhir-hub migrate` has done the steps in between, one with a higher number not at all.
2. A step is told before it is done. Killed, it leaves the store at the number before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Step:
    """What one migration does: it leads from the number before to `number`, for so many `rows`."""

    number: int
    words: str
    rows: int


class _Numbered(Protocol):
    @property
    def number(self) -> int:
        """The schema to which it leads."""


Tell = Callable[[Step], None]
M = TypeVar("M", bound=_Numbered)


def ahead(migrations: Sequence[M], found: int, wanted: int) -> list[M]:
    """Return the steps from one schema to another, in order.

    Raises ValueError, in words for the operator, where none lead there.
    """
    steps = [each for each in migrations if found < each.number <= wanted]
    if [each.number for each in steps] != list(range(found + 1, wanted + 1)):
        raise ValueError(f"nothing leads from schema {found} to schema {wanted}")
    return steps


def foreign(place: str, found: object, wanted: int) -> ValueError:
    """Return why a store of another schema is not opened."""
    if isinstance(found, int) and found < wanted:
        remedy = "stop all hubs that use it, then run `fhir-hub migrate`"
    elif isinstance(found, int):
        remedy = "a newer version of the hub made it"
    else:
        remedy = "it is damaged"
    return ValueError(
        f"{place} has schema {found or 'none'}; "
        f"this version of the hub reads schema {wanted} only: {remedy}"
    )
