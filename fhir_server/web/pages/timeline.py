"""A record as a timeline: several searches merged by day, newest first, whole days to a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_server.referral.codes import REFERRAL, SNOMED
from fhir_server.web.pages.ask import Found, Json, search
from fhir_server.web.pages.line import Line, line
from fhir_server.web.pages.show import items, reference
from fhir_server.web.pages.visit import Visit

LINES = 30
"""Lines of a page, roundly: a day is never cut."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line: what it searches, by which date, how many at a time, with what beside."""

    type: str
    date: str
    count: int = 40
    more: tuple[tuple[str, str], ...] = ()


KINDS: Mapping[str, Kind] = {
    "visit": Kind("Encounter", "date"),
    "diagnosis": Kind("Condition", "recorded-date"),
    "report": Kind("DiagnosticReport", "date", 20, (("_include", "DiagnosticReport:result"),)),
    "observation": Kind("Observation", "date", 100),
    "medication": Kind("MedicationRequest", "authoredon"),
    "plan": Kind("CarePlan", "date"),
    "referral": Kind(
        "ServiceRequest", "authored", 20,
        (("category", f"{SNOMED}|{REFERRAL}"), ("_revinclude", "Task:focus")),
    ),
    "procedure": Kind("Procedure", "date"),
    "immunization": Kind("Immunization", "date"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """The lines of one day; `measured` are its single measurements, shown as one table."""

    day: str
    lines: tuple[Line, ...]
    measured: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Days, newest first, and before which day the next page begins (empty: there is none)."""

    days: tuple[Day, ...]
    before: str = ""


async def timeline(visit: Visit, patient: str, kind: str, before: str) -> Page:
    """Return a page of a patient's record: of one kind, or of all where `kind` is none of KINDS."""
    chosen = {kind: KINDS[kind]} if kind in KINDS else KINDS
    pages = {name: await _search(visit, each, patient, before) for name, each in chosen.items()}
    others = {name: each for page in pages.values() for name, each in page.included.items()}
    told = reported(pages.values())
    lines = {
        name: [
            line(each, others, visit.language)
            for each in page.matches
            if f"{each['resourceType']}/{each['id']}" not in told
        ]
        for name, page in pages.items()
    }
    return paged(lines, {name for name, page in pages.items() if page.next})


async def _search(visit: Visit, kind: Kind, patient: str, before: str) -> Found:
    return await search(
        visit, kind.type, ("patient", patient),
        (kind.date, f"lt{before}" if before else ""),
        ("_sort", f"-{kind.date}"), ("_count", str(kind.count)), *kind.more,
    )  # fmt: skip


def reported(pages: Iterable[Found]) -> frozenset[str]:
    """Return the Observations that are shown within a report."""
    return frozenset(name for page in pages for each in page.matches for name in reported_in(each))


def reported_in(resource: Json) -> frozenset[str]:
    """Return the Observations that a report shows, by reference; none for anything else."""
    if resource["resourceType"] != "DiagnosticReport":
        return frozenset()
    return frozenset(reference(each) for each in items(resource.get("result")))


def paged(lines: Mapping[str, list[Line]], unfinished: set[str]) -> Page:
    """Merge lines by day and cut them where one kind has more that was not fetched.

    A kind that is `unfinished` is known only down to its oldest day, which may be incomplete: what
    is older waits for the next page. Lines without a date come at the end of the last page.
    """
    horizon = max((lines[name][-1].day for name in unfinished if lines[name]), default="")
    every = [each for found in lines.values() for each in found]
    days = sorted({each.day for each in every if each.day > horizon}, reverse=True)
    if not days and horizon:
        days = [horizon]
    shown: list[Day] = []
    count = 0
    while days and count < LINES:
        day = days.pop(0)
        shown.append(_day(day, [each for each in every if each.day == day]))
        count += len(shown[-1].lines) + bool(shown[-1].measured)
    if days or horizon:
        return Page(tuple(shown), shown[-1].day if shown else "")
    undated = [each for each in every if not each.day]
    if undated:
        shown.append(_day("", undated))
    return Page(tuple(shown))


_ORDER = {kind: place for place, kind in enumerate(KINDS)}


def _day(day: str, lines: list[Line]) -> Day:
    singles = [each for each in lines if each.kind == "observation"]
    others = [each for each in lines if each.kind != "observation"]
    others.sort(key=lambda each: _ORDER.get(each.kind, len(_ORDER)))
    others.sort(key=lambda each: each.time or "99", reverse=False)
    return Day(day, tuple(others), tuple(sorted(singles, key=lambda each: each.time)))
