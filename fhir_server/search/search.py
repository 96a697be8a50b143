"""A search request, read: what to find, in which order, and what to answer.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from conformance.issues import Issue
from fhir_server.model import Sort
from fhir_server.search.tree import EVERYTHING, Near, Node, Words

Total = Literal["none", "estimate", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]


class Include(NamedTuple):
    """One `_include` or `_revinclude`: the references of `source` by `param` (`*`: all of them)."""

    source: str
    param: str
    target: str | None = None
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What a client asks of a type.

    `contained` says whether it finds what stands alone, what is contained, or both, and
    `contained_type` whether a container or the contained resource is shown.
    `count` is the page size within the limit; 0 asks for the total alone. `cursor` is the text that
    `Signer.open` takes. `used` are the parameters that were followed, for the self link; `problems`
    those that were not (lenient handling). `measures` are the words and places that matches are
    measured by.
    """

    type: str
    where: Node = EVERYTHING
    sort: tuple[Sort, ...] = ()
    count: int = 20
    total: Total | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    explain: bool = False
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    contained: Literal["false", "true", "both"] = "false"
    contained_type: Literal["container", "contained"] = "container"
    cursor: str = ""
    used: tuple[tuple[str, str], ...] = ()
    problems: tuple[Issue, ...] = ()
    measures: tuple[Words | Near, ...] = ()

    @property
    def iterates(self) -> bool:
        """Whether what is included may include more."""
        return any(each.iterate for each in (*self.includes, *self.revincludes))

    @property
    def includes_all(self) -> bool:
        """Whether whatever refers to the matches is included, of any type."""
        return any(each.source == "*" for each in self.revincludes)
