"""What a search text is read against: the hub's address, zone and limits, and the present."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo

from fhir_server.search.fulltext import EVERYWHERE, FullText

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China Standard Time; fixed, so that an index never depends on a machine's zone tables."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which a search is read.

    `base` is the hub's own FHIR base without a slash at its end, `zone` that of times without one,
    `now` milliseconds since 1970 (for the prefix `ap`), `page` and `page_limit` the usual and the
    largest `_count`, `depth` the most joins in one parameter. `lenient` drops unknown parameters
    instead of refusing them (`Prefer: handling=lenient`). `full_text` are the types whose words are
    kept. `blocked` are the parameters of each type that records are still being indexed by,
    `progress` says how far that is.
    """

    base: str = ""
    zone: tzinfo = SHANGHAI
    now: int = 0
    page: int = 20
    page_limit: int = 1000
    depth: int = 8
    lenient: bool = False
    full_text: FullText = EVERYWHERE
    blocked: Mapping[str, Collection[str]] = field(default_factory=dict)
    progress: str = ""
