"""What a store tells of how it answers a query: facts, which `interactions.explain` puts in words.

No value of the query and none of a record is in it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

What = Literal["leads", "walks", "sorts", "along", "set", "asks", "impatient", "all"]


class Step(NamedTuple):
    """One decision of a plan.

    | `what` | the records of `type` … |
    |---|---|
    | leads | are led to by the index of `on`: `rows` of them, rounded up; None: many |
    | walks | are walked in the default order until the page is full |
    | sorts | that match are collected and sorted, since they are few |
    | along | are walked in the order of `on` until the page is full |
    | set | on the other side of the join `on` are collected once: at most `rows`; None: all |
    | asks | on the other side of the join `on` are asked for, record by record |
    | impatient | were walked too long: all that match are found and sorted |
    | all | are looked at one by one |
    """

    what: What
    type: str
    on: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a page and the count of a query were found: milliseconds, records, decisions.

    `page` is how many records the page has, `matches` how many match in all.
    """

    steps: tuple[Step, ...]
    page: int
    page_ms: float
    matches: int
    count_ms: float
