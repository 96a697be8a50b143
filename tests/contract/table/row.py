"""Rows of the search table: one question each, about a small world, with the answer."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


class Row(NamedTuple):
    """What is asked, under which heading it counts, and what is found.

    `kind` is the type of parameter, or another heading; `form` the modifier, the prefix or the form
    of the text. `text` is what stands behind the base of the hub. `found` are the ids in any order,
    with commas between them in this order; or the status of a refusal.
    """

    kind: str
    form: str
    text: str
    found: str

    @property
    def ids(self) -> list[str]:
        """Return the ids that are expected."""
        return self.found.replace(",", " ").split()

    @property
    def status(self) -> int:
        """Return the status that is expected."""
        return int(self.found) if self.found.isdigit() and len(self.found) == 3 else 200


@dataclass(frozen=True)
class Section:
    """A small world and what is asked of it; ids are unique in it."""

    name: str
    resources: list[Json]
    rows: list[Row] = field(default_factory=list)


def about(kind: str, *rows: tuple[str, str, str]) -> list[Row]:
    """Return rows of one kind."""
    return [Row(kind, *each) for each in rows]


def observation(id: str, **more: Any) -> Json:
    """Return an Observation that says nothing but what is given."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "something"},
        **more,
    }
