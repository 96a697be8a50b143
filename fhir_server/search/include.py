"""What `_include` and `_revinclude` add to a page, planned as ordinary searches.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Sequence
from typing import Any

from fhir_server.model import Key, Query
from fhir_server.search.extract import Extractor
from fhir_server.search.search import Search


def plan(
    extractor: Extractor,
    search: Search,
    resources: Sequence[tuple[Key, dict[str, Any]]],
    *,
    known: frozenset[Key] = frozenset(),
    again: bool = False,
) -> tuple[Query, ...]:
    """Return the queries whose answers are to be included with `resources`."""
    raise NotImplementedError
