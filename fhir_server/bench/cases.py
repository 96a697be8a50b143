"""What `fhir-hub bench` measures: one table.

CPU is user plus system time of all processes of the server, read before and after; the load comes
from another process, so that its cost is not counted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fhir_server.bench.ask import Ask
from fhir_server.bench.crud import commits, create, delete, read, update
from fhir_server.bench.figure import Figure
from fhir_server.bench.footprint import footprint
from fhir_server.bench.ingest import ingest
from fhir_server.bench.own import adt
from fhir_server.bench.race import race
from fhir_server.bench.search import search
from fhir_server.bench.target import Target


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement; it is asked for by its name or by its group's."""

    name: str
    group: str
    measure: Callable[[Target, Ask], Iterable[Figure]]


CASES: tuple[Case, ...] = (
    Case("transaction", "ingest", ingest),
    Case("read", "crud", read),
    Case("create", "crud", create),
    Case("update", "crud", update),
    Case("delete", "crud", delete),
    Case("commits", "crud", commits),
    Case("race", "race", race),
    Case("search", "search", search),
    Case("adt", "own", adt),
    Case("footprint", "footprint", footprint),
)


def chosen(words: Iterable[str]) -> list[Case]:
    """Return the cases that are named, by themselves or by their group, in the order of the table.

    Raises ValueError for a name that there is not.

    >>> [case.name for case in chosen(["footprint", "read"])]
    ['read', 'footprint']
    """
    known = {name for case in CASES for name in (case.name, case.group)}
    wanted = set(words)
    if unknown := wanted - known:
        names = ", ".join(dict.fromkeys(n for case in CASES for n in (case.group, case.name)))
        raise ValueError(f"no case {', '.join(sorted(unknown))}; there are {names}")
    return [case for case in CASES if not wanted or {case.name, case.group} & wanted]
