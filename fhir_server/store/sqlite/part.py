"""Which part of the records a statement asks about, and the patients who narrow an ordered walk."""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_server.search.tree import ForEachPatient, InPatient, Node, OnlyPatients
from fhir_server.store.order import SEVERAL
from fhir_server.store.sqlite.estimate import is_few
from fhir_server.store.sqlite.patients import of_several, permitted
from fhir_server.store.sqlite.statement import Statement


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the records is wanted: `every` one, or some behind a place, of the patients
    within `bounds` (placeholders)."""

    every: bool = True
    after: tuple[str, str] | None = None
    down: bool = False
    bounds: tuple[str, str] | None = None

    def behind(self, seek: bool) -> list[str]:
        """Return the conditions on `c`; `seek` lets an index begin there."""
        tests = []
        if self.bounds is not None:
            plus, (low, high) = "" if seek else "+", self.bounds
            tests.append(f"{plus}c.patient > {low} AND {plus}c.patient <= {high}")
        if self.after is not None:
            plus, sign = "" if seek and not tests else "+", "<" if self.down else ">"
            tests.append(f"({plus}c.patient, {plus}c.rid) {sign} ({', '.join(self.after)})")
        return tests

    def pids(self, step: str) -> str:
        """Return the numbers of patients in a step that lie in this part."""
        if self.after is None:
            return f"SELECT pid FROM {step}"
        return f"SELECT pid FROM {step} WHERE pid {'<=' if self.down else '>='} {self.after[0]}"


def of_patients(s: Statement, nodes: Sequence[Node], part: Part) -> list[str]:
    """Return, if a node names patients, the condition that leads the index to them.

    Records of several patients come along; `holds` decides on them.
    """
    for node in nodes:
        match node:
            case InPatient(patient):
                return [f"c.patient IN ({SEVERAL}, {s.patient(patient)})"]
            case OnlyPatients() | ForEachPatient() if part.every or _is_small(s, node):
                pids = part.pids(permitted(s, node))
                return [f"c.patient IN (SELECT {SEVERAL} UNION {pids})"]
    return []


def sliced(s: Statement, nodes: Sequence[Node]) -> ForEachPatient | None:
    """Return the node that permits many patients who narrow an ordered walk, if none names few."""
    for node in nodes:
        if isinstance(node, InPatient | OnlyPatients):
            return None
        if isinstance(node, ForEachPatient) and _is_small(s, node):
            return None
    each = (node for node in nodes if isinstance(node, ForEachPatient) and _is_large(s, node))
    return next(each, None) if s.slices else None


def of_slice(s: Statement, node: ForEachPatient, *, led: bool) -> list[str]:
    """Return the condition that leads the index to the patients of a slice whom a node permits,
    and that it holds.

    `led` says that an index of values leads to the records, in their order.
    """
    place = s.kept(node)
    assert place is not None
    pids = s.slice(place, led=led)
    return [f"c.patient IN (SELECT value FROM json_each({pids}))", of_several(s, place, "c")]


def _is_large(s: Statement, node: ForEachPatient) -> bool:
    place = s.kept(node)
    return place is not None and bool(s.asked.sizes(s.many)[place])


def _is_small(s: Statement, node: OnlyPatients | ForEachPatient) -> bool:
    if isinstance(node, OnlyPatients):
        return True
    place = s.kept(node)
    if place is not None:
        return not s.asked.sizes(s.many)[place]
    return is_few(s, node.type, node.where)
