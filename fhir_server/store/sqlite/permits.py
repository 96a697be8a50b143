"""Whom grants permit, kept between queries for as long as it is certainly right.

1. A set of patients is made of one moment of the store, for one time. It serves a later moment if
   no record of the type that it is made of has got a version since, and another time if no entry
   that is compared with the time lies in between. So the next query sees a grant that has come, was
   closed, or has run out.
2. Only types of the hub itself are read so: those are never indexed again under the same version.
3. To make a set costs as much as to ask row by row for a number of pages. Who counts makes it at
   once; a page makes it after so many pages have gone without.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf

from fhir_server.search.tree import And, ForEachPatient, Match, Node, Not, Now, Or
from fhir_server.store.sqlite.asked import Asked
from fhir_server.store.sqlite.permitted import Permitted
from fhir_server.store.sqlite.schema import BY_VALUE

MOST = 50_000
"""So many patients are kept of one grant's predicate; of more, none are."""
_ALL = 200_000
"""So many patients are kept in all."""
_SETS = 32
_NODES = 16
"""A query with more predicates of grants has `openings`, which ask another way."""
_FAR = 2_000
"""After so many versions of anything a set is made again, since to look at them costs as much."""
_PAGES = 20
_A_PAGE = 500
"""To find so many patients costs as much as to ask row by row for a page."""

_LAST = "SELECT coalesce(max(seq), 0) FROM version"
_SINCE = (
    "SELECT EXISTS (SELECT 1 FROM version v CROSS JOIN record r "
    "WHERE v.seq > ? AND r.rid = v.rid AND r.kind = ?)"
)
_BESIDE = (
    f"SELECT (SELECT max(v) FROM entry {BY_VALUE} WHERE param = ?1 AND v <= ?2), "
    f"(SELECT min(v) FROM entry {BY_VALUE} WHERE param = ?1 AND v > ?2 AND v < '')"
)

Found = Callable[[ForEachPatient, int], Iterable[int]]
"""Finds the patients whom a node permits, up to so many."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Whom a node permits (None: too many) as of a version, at a time between two others."""

    permitted: Permitted | None
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

    def prepare(self, asked: Asked, find: Found, *, whole: bool) -> None:
        """Give a query the sets that are right for it; for a `whole` answer they are made."""
        nodes = asked.shape.grants
        if 0 < len(nodes) <= _NODES:
            last = int(asked.connection.execute(_LAST).fetchone()[0])
            asked.permit(self._get(asked, node, last, find, whole=whole) for node in nodes)

    def _get(
        self, asked: Asked, node: ForEachPatient, last: int, find: Found, *, whole: bool
    ) -> Permitted | None:
        timed = _timed(node.where)
        if not node.type.islower() or None in timed:
            return None
        kept = self._kept.get(node)
        if kept is None or not _is_current(asked, node, kept, last):
            if not whole and not self._pays(node, kept):
                return None
            kept = _made(asked, node, last, find, {param for param in timed if param})
            self._keep(node, kept)
        else:
            self._kept[node] = replace(kept, seq=last)
        return kept.permitted

    def _pays(self, node: ForEachPatient, kept: _Kept | None) -> bool:
        self._missed[node] = missed = self._missed.get(node, 0) + 1
        return missed > max(_PAGES, kept.size // _A_PAGE if kept else 0)

    def _keep(self, node: ForEachPatient, kept: _Kept) -> None:
        others = [each.size for other, each in list(self._kept.items()) if other != node]
        if len(others) >= _SETS or sum(others) + kept.size > _ALL:
            self._kept.clear()
        if len(self._missed) >= _SETS * _NODES:
            self._missed.clear()
        self._missed.pop(node, None)
        self._kept[node] = kept


def _is_current(asked: Asked, node: ForEachPatient, kept: _Kept, last: int) -> bool:
    if not 0 <= last - kept.seq <= _FAR or not kept.is_of(asked.query.now):
        return False
    if last == kept.seq:
        return True
    kind = asked.names.kind(asked.connection, node.type)
    return not asked.connection.execute(_SINCE, (kept.seq, kind)).fetchone()[0]


def _made(
    asked: Asked, node: ForEachPatient, last: int, find: Found, timed: Iterable[str]
) -> _Kept:
    found = frozenset(find(node, MOST + 1))
    permitted = Permitted.of(found) if len(found) <= MOST else None
    low, high = -inf, inf
    for param in timed:
        number = asked.names.param(asked.connection, node.type, param)
        before, behind = asked.connection.execute(_BESIDE, (number, asked.query.now)).fetchone()
        low = low if before is None else max(low, before)
        high = high if behind is None else min(high, behind)
    return _Kept(permitted, last, asked.query.now, low, high)


def _timed(node: Node) -> set[str | None]:
    """Return the parameters that are compared with the time; None for what is not known to be."""
    return set(_compared(node))


def _compared(node: Node) -> Iterator[str | None]:
    match node:
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from _compared(each)
        case Not(inner):
            yield from _compared(inner)
        case Match(param, conds):
            times = [cond for cond in conds if isinstance(cond.value, Now)]
            yield from (param if cond.column == "v" else None for cond in times)
        case _:
            yield None
