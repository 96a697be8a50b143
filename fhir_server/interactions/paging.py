"""Where a page of a search begins, as the cursor of its link carries it, and its links.

https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.interactions.included import At
from fhir_server.interactions.merged import Merged, Ranked, Spot
from fhir_server.search.cursor import Signer


@dataclass(frozen=True, slots=True)
class Start:
    """A page of the matches behind `after` (None: the first ones), with `back` of those before it
    (None: the last ones).

    With `at` it is one of what the matches up to `until` include, from there on.
    """

    after: Spot | None = None
    back: bool = False
    until: Spot | None = None
    at: At | None = None

    def seal(self, signer: Signer, bind: str) -> str:
        """Return the cursor."""
        return signer.seal((self.after, self.back, self.until, self.at), bind)


FIRST = Start()
LAST = Start(back=True)


def opened(signer: Signer, cursor: str, bind: str) -> Start:
    """Return what a cursor carries. Raises `BadRequest`."""
    after, back, until, at = signer.open(cursor, bind)
    where = None if at is None else At(at[0], at[1], tuple(at[2]))
    return Start(_spot(after), back, _spot(until), where)


def _spot(found: Any) -> Spot | None:
    return None if found is None else Spot(found[0], tuple(found[1]))


def links(
    start: Start, page: Merged, queries: Sequence[Ranked], url: Callable[[Start], str]
) -> Iterator[tuple[str, str]]:
    """Yield the links of a page of matches besides its own; `url` gives the address of a page."""
    yield "first", url(FIRST)
    before, behind = _around(start, page, queries)
    if before is not None and (page.more or not start.back):
        yield "previous", url(Start(before, back=True))
    if behind is not None and (page.more or start.back):
        yield "next", url(Start(behind))
        yield "last", url(LAST)


def _around(
    start: Start, page: Merged, queries: Sequence[Ranked]
) -> tuple[Spot | None, Spot | None]:
    """Return before which spot the page before ends, and behind which the next one begins; None
    where the walk itself began at that end.

    A page that turns out empty has the spot that it was sought from on the other side of it.
    """
    before = page.spots[0] if page.spots else _beside(start, queries, behind=True)
    behind = page.spots[-1] if page.spots else _beside(start, queries, behind=False)
    if start.back:
        return before, None if start.after is None else behind
    return None if start.after is None else before, behind


def _beside(start: Start, queries: Sequence[Ranked], *, behind: bool) -> Spot | None:
    return None if start.after is None else start.after.beside(queries, behind=behind)
