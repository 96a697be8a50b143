"""Where a page of a search begins, as the cursor of its link carries it.

https://hl7.org/fhir/R4/http.html#paging
"""

from dataclasses import dataclass
from typing import Any

from fhir_server.interactions.included import At
from fhir_server.interactions.merged import Spot
from fhir_server.search.cursor import Signer


@dataclass(frozen=True, slots=True)
class Start:
    """A page of the matches behind `after` (None: the first ones).

    With `at` it is one of what the matches up to `until` include, from there on.
    """

    after: Spot | None = None
    until: Spot | None = None
    at: At | None = None

    def seal(self, signer: Signer, bind: str) -> str:
        """Return the cursor."""
        return signer.seal((self.after, self.until, self.at), bind)


FIRST = Start()


def opened(signer: Signer, cursor: str, bind: str) -> Start:
    """Return what a cursor carries, the first page for none. Raises `BadRequest`."""
    if not cursor:
        return FIRST
    after, until, at = signer.open(cursor, bind)
    return Start(_spot(after), _spot(until), None if at is None else At(at[0], at[1], tuple(at[2])))


def _spot(found: Any) -> Spot | None:
    return None if found is None else Spot(found[0], tuple(found[1]))
