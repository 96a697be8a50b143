"""What a store tells of how it answers a query: facts, which `interactions.explain` puts in words.

No value of the query and none of a record is in it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, NamedTuple

from fhir_server.model import Page, Query
from fhir_server.search.tree import (
    And,
    Chain,
    ForEachPatient,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    Not,
    OneOf,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)

What = Literal["leads", "walks", "sorts", "along", "set", "asks", "impatient", "all"]
PATIENTS = "patient compartment"


class Step(NamedTuple):
    """One decision of a plan.

    | `what` | the records of `type` … |
    |---|---|
    | leads | are led to by the index of `on`: at most `rows`; None: many |
    | walks | are walked in the default order until the page is full |
    | sorts | that match are all found and sorted |
    | along | are walked in the order of `on` until the page is full |
    | set | on the other side of the join `on` are collected once |
    | asks | on the other side of the join `on` are asked for, record by record |
    | impatient | were walked too long: all that match are found and sorted |
    | all | are looked at one by one, `rows` of them |
    """

    what: What
    type: str
    on: str = ""
    rows: int | None = None


class Total(NamedTuple):
    """How many records match; not `is_exact`: about so many."""

    number: int
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a page and the count of a query were found: milliseconds, records, decisions."""

    steps: tuple[Step, ...]
    page: int
    page_ms: float
    matches: int
    count_ms: float


async def explained(
    query: Query,
    search: Callable[[Query], Awaitable[Page]],
    count: Callable[[Query], Awaitable[int]],
    steps: list[Step],
) -> Explanation:
    """Do both, and return what came of them and the steps that were noted meanwhile."""
    start = perf_counter()
    page = await search(query)
    middle = perf_counter()
    noted = tuple(dict.fromkeys(steps))
    matches = await count(query)
    end = perf_counter()
    return Explanation(
        noted, len(page.versions), (middle - start) * 1000, matches, (end - middle) * 1000
    )


def named(node: Node) -> str:  # noqa: C901, PLR0911 one a node
    """Return what a predicate is about: parameters, not values.

    >>> named(Or((Match("code"), Has("Observation", "patient", Match("date")))))
    '_has:Observation:patient, code'
    """
    match node:
        case Match(param) | Together(param) | Near(param):
            return param
        case Ids():
            return "_id"
        case Updated():
            return "_lastUpdated"
        case Words(scope):
            return f"_{scope}"
        case Chain(param, type):
            return f"{param}:{type}"
        case Has(type, param):
            return f"_has:{type}:{param}"
        case OneOf(nodes=nodes):
            return named(Or(nodes))
        case InPatient() | OnlyPatients() | ForEachPatient():
            return PATIENTS
        case And(nodes) | Or(nodes):
            return ", ".join(sorted({named(each) for each in nodes}))
        case Not(inner):
            return f"not {named(inner)}"
        case _:
            return type_name(node)


def type_name(node: object) -> str:
    """Return the name of a node that is not known here."""
    return type(node).__name__
