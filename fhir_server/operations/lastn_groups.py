"""Observations in groups of one meaning, the latest of each kept.

https://hl7.org/fhir/R4/observation-operation-lastn.html

1. Codes are equal if system and code are. "Text only codes SHALL be treated and grouped based on
   the text."
2. The codings of one observation mean the same, and "the grouping by code SHALL follow the
   transitive property of equality". Observations of different subjects are never in one group.
3. Each group keeps its latest ones. "In case of a tie … both will be returned."
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from fhir_server import fhirjson
from fhir_server.model import Version
from fhir_server.search import date
from fhir_server.search.reference import taken_apart
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import Column, Cond, Match, Node, both, either


class Label(NamedTuple):
    """What makes two observations one group; `system` is None where `code` is text alone."""

    subject: str
    system: str | None
    code: str


class _Item(NamedTuple):
    """An observation: its place among those that were taken, latest first, and its time."""

    place: int
    time: int | None
    version: Version


@dataclass(slots=True, eq=False)
class Group:
    """Labels that mean the same, and the latest observations that have one of them."""

    labels: set[Label] = field(default_factory=set)
    items: list[_Item] = field(default_factory=list)


class _Read(msgspec.Struct):
    """What of an Observation is read here."""

    code: Any = None
    subject: Any = None
    effectiveDateTime: Any = None
    effectivePeriod: Any = None
    effectiveTiming: Any = None
    effectiveInstant: Any = None


_TIMES = (
    ("effectiveDateTime", "dateTime"),
    ("effectivePeriod", "Period"),
    ("effectiveTiming", "Timing"),
    ("effectiveInstant", "instant"),
)
_decoder = msgspec.json.Decoder(_Read)


class Groups:
    """Groups of observations that are taken in order, latest first; each keeps `most`, and ties."""

    def __init__(self, most: int, base: str) -> None:
        """Start empty; `base` is the hub's own, under which a reference may be absolute."""
        self._most = most
        self._base = base
        self._of: dict[Label, Group] = {}
        self._closed: set[Label] = set()
        self._taken = 0
        self._last: int | None = None

    def take(self, versions: Iterable[Version]) -> None:
        """Put observations into their groups; none is later than one that was taken before."""
        for version in versions:
            read = _decoder.decode(fhirjson.whole(version))
            group = self._joined(_labels(read, self._base))
            self._taken += 1
            self._last = _time(read)
            group.items.append(_Item(self._taken, self._last, version))
            self._cut(group)

    def close(self) -> None:
        """Close the groups that nothing is added to by what is not taken yet.

        A group of text stays open: no search could leave its observations out.
        """
        for group in dict.fromkeys(self._of.values()):
            if self._is_full(group) and any(label.system is not None for label in group.labels):
                self._closed |= group.labels

    def closed(self) -> list[Group]:
        """Return the groups that are closed, and those that became one with them."""
        return list(dict.fromkeys(self._of[label] for label in sorted(self._closed, key=str)))

    def kept(self) -> list[Version]:
        """Return what is kept of all groups, latest first."""
        groups = dict.fromkeys(self._of.values())
        return [each.version for each in sorted(item for group in groups for item in group.items)]

    def _joined(self, labels: list[Label]) -> Group:
        """Return the group of these labels, made one of all that any of them was in."""
        groups = dict.fromkeys(self._of[label] for label in labels if label in self._of)
        if len(groups) == 1 and all(label in self._of for label in labels):
            return next(iter(groups))
        made = Group(set(labels))
        for group in groups:
            made.labels |= group.labels
            made.items += group.items
        made.items.sort()
        self._of |= dict.fromkeys(made.labels, made)
        return made

    def _cut(self, group: Group) -> None:
        for item in group.items[self._most :]:
            if not self._ties(group, item.time):
                group.items.remove(item)

    def _ties(self, group: Group, time: int | None) -> bool:
        return time is not None and time == group.items[self._most - 1].time

    def _is_full(self, group: Group) -> bool:
        return len(group.items) >= self._most and not self._ties(group, self._last)


def _labels(read: _Read, base: str) -> list[Label]:
    subject = read.subject if isinstance(read.subject, dict) else {}
    about = str(subject.get("reference") or subject.get("identifier"))
    about = taken_apart(about, base)[0]
    code = read.code if isinstance(read.code, dict) else {}
    found = [
        Label(about, str(coding.get("system", "")), str(coding["code"]))
        for coding in code.get("coding", ())
        if isinstance(coding, dict) and "code" in coding
    ]
    return found or [Label(about, None, str(code.get("text", "")))]


def _time(read: _Read) -> int | None:
    for name, kind in _TIMES:
        for entry in date.entries("date", kind, getattr(read, name), SHANGHAI):
            return int(entry.v)
    return None


def of_any(groups: Iterable[Group]) -> Node:
    """Return what holds of the observations that have a label of one of the groups."""
    return _by_subject(groups, lambda mine: _coded(label for each in mine for label in each.labels))


def linking(groups: Iterable[Group]) -> Node:
    """Return what holds of the observations that make one of the groups one with another, or with
    a code that is in none of them."""
    return _by_subject(groups, _links)


def _by_subject(groups: Iterable[Group], node: Callable[[list[Group]], Node]) -> Node:
    subjects: dict[str, list[Group]] = {}
    for group in groups:
        subjects.setdefault(next(iter(group.labels)).subject, []).append(group)
    return either(
        *(both(Match("subject", (Cond("v", "=", s),)), node(g)) for s, g in subjects.items())
    )


def _links(groups: list[Group]) -> Node:
    """Two groups differ in some bit of their numbers: one condition a bit, and not one a pair."""
    every = [label for group in groups for label in group.labels]
    nodes = [both(_coded(every), _coded_otherwise(every))]
    for bit in range((len(groups) - 1).bit_length()):
        halves: tuple[list[Label], list[Label]] = ([], [])
        for number, group in enumerate(groups):
            halves[number >> bit & 1].extend(group.labels)
        nodes.append(both(*map(_coded, halves)))
    return either(*nodes)


def _coded(labels: Iterable[Label]) -> Node:
    """Return that some coding is one of the labels."""
    return either(
        *(
            Match("code", (Cond("v", "in", tuple(codes)), Cond("w", "=", system)))
            for system, codes in _systems(labels).items()
        )
    )


def _coded_otherwise(labels: Iterable[Label]) -> Node:
    """Return that some coding is none of the labels."""
    systems = _systems(labels)
    others = [Match("code", conds) for conds in _between("w", systems)]
    for system, codes in systems.items():
        same = Cond("w", "=", system)
        others += [Match("code", (*conds, same)) for conds in _between("v", codes)]
    return either(*others)


def _systems(labels: Iterable[Label]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in sorted(each for each in labels if each.system is not None):
        found.setdefault(label.system or "", []).append(label.code)
    return found


def _between(column: Column, values: Iterable[str]) -> Iterator[tuple[Cond, ...]]:
    """Yield the ranges that hold every text but these."""
    ordered = sorted(values)
    yield (Cond(column, "<", ordered[0]),)
    for low, high in pairwise(ordered):
        yield (Cond(column, ">", low), Cond(column, "<", high))
    yield (Cond(column, ">", ordered[-1]),)
