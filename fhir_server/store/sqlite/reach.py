"""How far a predicate is followed inside one expression, from the row that is asked."""

from typing import NamedTuple

from fhir_server.search.tree import Chain, ForEachPatient, Has
from fhir_server.store.explanation import Step, named
from fhir_server.store.sqlite.estimate import is_few
from fhir_server.store.sqlite.statement import Statement

_LEVELS = 8


class Reach(NamedTuple):
    """How joins may be followed: through how many `hops` row by row (0: none, all rows will be
    asked, so that sets pay; never many, since SQLite's parser bounds the nesting), and whether
    `sets` are made where the other side is few. What is nested in more than so many `levels` of
    and, or, not stands apart, for the same reason."""

    hops: int = 3
    sets: bool = True
    levels: int = _LEVELS

    def behind(self) -> "Reach":
        """Return what is left behind one hop."""
        return self._replace(hops=self.hops - 1)

    def inside(self) -> "Reach":
        """Return what is left inside brackets."""
        return self._replace(levels=self.levels - 1)

    def apart(self) -> "Reach":
        """Return what is left in an expression of its own."""
        return self._replace(levels=_LEVELS)

    def collects(self, s: Statement, join: Chain | Has | ForEachPatient) -> bool:
        """Tell whether the other side of a join becomes a set."""
        sets = not self.hops or (self.sets and is_few(s, join.type, join.where))
        s.tell(Step("set" if sets else "asks", join.type, named(join)))
        return sets


USUAL = Reach()
FOR_ALL = Reach(hops=0)
FOR_FEW = Reach(sets=False)
