"""What is wrong with a query, in GraphQL's form.

https://spec.graphql.org/October2021/#sec-Errors
"""

from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
Place = tuple[int, int]
"""A line and a column of the document, both from 1."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: where in the document, and where in the answer."""

    message: str
    place: Place | None = None
    path: Path = ()

    def as_json(self) -> dict[str, Any]:
        """Return the error as the answer has it."""
        told: dict[str, Any] = {"message": self.message}
        if self.place is not None:
            told["locations"] = [{"line": self.place[0], "column": self.place[1]}]
        if self.path:
            told["path"] = list(self.path)
        return told


class Invalid(Exception):
    """The query cannot be executed at all."""

    def __init__(self, *problems: Problem) -> None:
        """Take what is wrong."""
        self.problems = problems
        super().__init__("; ".join(each.message for each in problems))
