"""Whom grants permit, kept between queries and brought up to date by each.

1. A set of patients is made of one moment of the store, for one time. At a later moment only those
   patients are asked about anew of whose grants there is a version since, or whose grants begin or
   end in between. So the next query sees a grant that has come, was closed, or has run out.
2. Only types of the hub itself are read so: those are never indexed again under the same version.
3. To make a set costs as much as to ask row by row for a number of pages. Who counts makes it at
   once; a page makes it after so many pages have gone without.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from fhir_server.search.tree import And, ForEachPatient, Match, Node, Not, Now, OneOf, Or
from fhir_server.store.order import NOBODY, SEVERAL
from fhir_server.store.sqlite.asked import Asked
from fhir_server.store.sqlite.permitted import Permitted
from fhir_server.store.sqlite.schema import BY_VALUE

MOST = 50_000
"""So many patients are kept of one grant's predicate; of more, none are."""
_ALL = 500_000
"""So many patients are kept in all."""
_SETS = 256
_NODES = 16
"""A query with more predicates of grants has `openings`, which ask another way."""
_FAR = 2_000
"""After so many versions of anything a set is made again, since to look at them costs as much."""
_TURNED = 500
"""So many patients are asked about anew; where there are more, a set is made again."""
_PAGES = 20
_A_PAGE = 500
"""To find so many patients costs as much as to ask row by row for a page."""

_LAST = "SELECT coalesce(max(seq), 0) FROM version"
_SINCE = (
    "SELECT DISTINCT o.patients FROM version v CROSS JOIN record r CROSS JOIN version o "
    "WHERE v.seq > ? AND r.rid = v.rid AND r.kind = ? AND o.rid = v.rid"
)
_TURNING = (
    f"SELECT DISTINCT patient FROM entry {BY_VALUE} "
    f"WHERE param = ? AND v BETWEEN ? AND ? AND patient <> {NOBODY} LIMIT ?"
)
_BESIDE = (
    f"SELECT (SELECT max(v) FROM entry {BY_VALUE} WHERE param = ?1 AND v <= ?2), "
    f"(SELECT min(v) FROM entry {BY_VALUE} WHERE param = ?1 AND v > ?2 AND v < '')"
)


class Finder(Protocol):
    """Asks the store whom a node permits, at a query's moment and time."""

    def permitted(self, node: ForEachPatient, most: int) -> Iterable[int]:
        """Return the patients whom it permits, up to so many."""

    def among(self, node: ForEachPatient, pids: Iterable[int]) -> Iterable[int]:
        """Return those of some patients whom it permits."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Whom a node permits (None: too many) as of a version, at a time between two others.

    `timed` are the parameters that are compared with the time.
    """

    permitted: Permitted | None
    timed: frozenset[str]
    seq: int
    made: int
    low: float
    high: float

    @property
    def size(self) -> int:
        """Return how many patients were found."""
        return MOST if self.permitted is None else len(self.permitted.pids)

    def is_of(self, now: int) -> bool:
        """Tell whether it would be the same at this time."""
        return now == self.made or (self.low < self.made and self.low < now < self.high)


class Permits:
    """The sets that a process keeps. Its threads share them; what two make at once is the same."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[ForEachPatient, _Kept] = {}
        self._missed: dict[ForEachPatient, int] = {}

    def prepare(self, asked: Asked, finder: Finder, *, whole: bool) -> None:
        """Give a query the sets that are right for it; for a `whole` answer they are made."""
        nodes = asked.shape.grants
        if 0 < len(nodes) <= _NODES:
            last = int(asked.connection.execute(_LAST).fetchone()[0])
            asked.permit(self._get(asked, node, last, finder, whole=whole) for node in nodes)

    def _get(
        self, asked: Asked, node: ForEachPatient, last: int, finder: Finder, *, whole: bool
    ) -> Permitted | None:
        old = self._kept.get(node)
        timed = _timed(node) if old is None else old.timed
        if timed is None or (old is not None and old.seq > last):
            return None  # it cannot be kept, or the query's moment is an older one
        kept = None if old is None else _advanced(asked, node, old, last, finder)
        if kept is None:
            if not whole and not self._pays(node, old):
                return None
            found = frozenset(finder.permitted(node, MOST + 1))
            kept = _kept(asked, node, Permitted(found), timed, last)
        if kept is not old:
            self._keep(node, kept)
        return kept.permitted

    def _pays(self, node: ForEachPatient, old: _Kept | None) -> bool:
        self._missed[node] = missed = self._missed.get(node, 0) + 1
        return missed > max(_PAGES, old.size // _A_PAGE if old else 0)

    def _keep(self, node: ForEachPatient, kept: _Kept) -> None:
        """Keep a set, and forget those that were made or brought up to date longest ago."""
        if len(self._missed) >= _SETS * _NODES:
            self._missed.clear()
        self._missed.pop(node, None)
        self._kept.pop(node, None)
        self._kept[node] = kept
        sizes = [(each, other.size) for each, other in list(self._kept.items())]
        for place, (each, _) in enumerate(sizes[:-1]):
            rest = sizes[place:]
            if len(rest) <= _SETS and sum(size for _, size in rest) <= _ALL:
                break
            self._kept.pop(each, None)


def _kept(
    asked: Asked, node: ForEachPatient, permitted: Permitted | None, timed: frozenset[str], seq: int
) -> _Kept:
    if permitted is not None and len(permitted.pids) > MOST:
        permitted = None
    low, high, now = -inf, inf, asked.query.now
    for param in timed:
        number = asked.names.param(asked.connection, node.type, param)
        before, behind = asked.connection.execute(_BESIDE, (number, now)).fetchone()
        low = low if before is None else max(low, before)
        high = high if behind is None else min(high, behind)
    return _Kept(permitted, timed, seq, now, low, high)


def _advanced(
    asked: Asked, node: ForEachPatient, kept: _Kept, last: int, finder: Finder
) -> _Kept | None:
    """Return what is right for a query's moment and time; None: all of it has to be asked."""
    if last - kept.seq > _FAR:
        return None
    is_of_now = kept.is_of(asked.query.now)
    pids = set() if last == kept.seq else _changed(asked, node, kept)
    if not is_of_now:
        pids |= _turning(asked, node, kept)
    if len(pids) > _TURNED or SEVERAL in pids:
        return None
    if is_of_now and not pids:
        return kept if last == kept.seq else replace(kept, seq=last)
    permitted = kept.permitted
    if permitted is not None and pids:
        permitted = permitted.changed(pids, finder.among(node, pids))
    return _kept(asked, node, permitted, kept.timed, last)


def _changed(asked: Asked, node: ForEachPatient, kept: _Kept) -> set[int]:
    """Return the patients of whom a record of the node's type has a version since."""
    kind = asked.names.kind(asked.connection, node.type)
    rows = asked.connection.execute(_SINCE, (kept.seq, kind)).fetchall()
    ids = {id for (patients,) in rows for id in patients.split()}
    return {asked.names.patient(asked.connection, id) for id in ids}


def _turning(asked: Asked, node: ForEachPatient, kept: _Kept) -> set[int]:
    """Return the patients for whom a value lies between the set's time and the query's."""
    found: set[int] = set()
    between = sorted((kept.made, asked.query.now))
    for param in kept.timed:
        number = asked.names.param(asked.connection, node.type, param)
        rows = asked.connection.execute(_TURNING, (number, *between, _TURNED + 1))
        found.update(pid for (pid,) in rows)
    return found


def _timed(node: ForEachPatient) -> frozenset[str] | None:
    """Return the parameters that are compared with the time; None where a set cannot be kept."""
    found = set(_compared(node.where))
    if not node.type.islower() or None in found:
        return None
    return frozenset(param for param in found if param)


def _compared(node: Node) -> Iterator[str | None]:
    match node:
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from _compared(each)
        case Not(inner):
            yield from _compared(inner)
        case OneOf():
            pass  # no time is among many alternatives
        case Match(param, conds):
            times = [cond for cond in conds if isinstance(cond.value, Now)]
            yield from (param if cond.column == "v" else None for cond in times)
        case _:
            yield None
