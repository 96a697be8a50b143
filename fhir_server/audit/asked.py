"""What a search of AuditEvents asks of the rows they are rendered from.

https://hl7.org/fhir/R4/auditevent.html#search
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fhir_server.audit.row import Row
from fhir_server.errors import BadRequest
from fhir_server.model import Value
from fhir_server.search import date
from fhir_server.search.terms import Terms
from fhir_server.search.tree import EVERYTHING, Column, Cond, Ids, Match, Node, both, either

Params = Sequence[tuple[str, str]]

AGENTS = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Device")


@dataclass(frozen=True, slots=True)
class Asked:
    """A predicate on rows, and which AuditEvents of a row are meant (None: all of them).

    `patients` and `events` are ids, each of `entities` references of which an AuditEvent has one.
    `used` are the parameters that were followed, without the cursor.
    """

    where: Node = EVERYTHING
    patients: frozenset[str] | None = None
    events: frozenset[str] | None = None
    entities: tuple[frozenset[str], ...] = ()
    descending: bool = True
    count: int = 20
    cursor: str = ""
    used: tuple[tuple[str, str], ...] = ()

    def means(self, id: str, row: Row, patient: str) -> bool:
        """Say whether this AuditEvent of a row that satisfies `where` is meant."""
        own = {row.target, f"Patient/{patient}", f"Organization/{row.organization}"}
        return (
            (self.patients is None or patient in self.patients)
            and (self.events is None or id in self.events)
            and all(own & wanted for wanted in self.entities)
        )


Reader = Callable[[Asked, str, Terms], Asked]


def asked_by(params: Params, terms: Terms) -> Asked:
    """Return what decoded parameters ask. Raises `BadRequest` where one is not understood."""
    asked = Asked(count=terms.page)
    for name, text in params:
        if name in ("_format", "_pretty"):
            continue
        if not text:
            raise BadRequest(f"{name}= has no value; leave it out, or give one")
        reader = READERS.get(name)
        if reader is None:
            known = ", ".join(sorted(READERS))
            raise BadRequest(f"{name} is no parameter of AuditEvent here; known are {known}")
        asked = reader(asked, text, terms)
        if name != "_cursor":
            asked = replace(asked, used=(*asked.used, (name, text)))
    return asked


def _joined(asked: Asked, node: Node) -> Asked:
    return replace(asked, where=both(asked.where, node))


def _in(param: str, values: Sequence[Value]) -> Node:
    return Match(param, (Cond("v", "in", tuple(values)),))


def _done(column: Column) -> Reader:
    """Read codes of what was done, which one entry tells: subtype, action and outcome."""

    def reader(asked: Asked, text: str, terms: Terms) -> Asked:
        codes = tuple(value.rpartition("|")[2] for value in text.split(","))
        return _joined(asked, Match("subtype", (Cond(column, "in", codes),)))

    return reader


def _patient(asked: Asked, text: str, terms: Terms) -> Asked:
    ids = frozenset(value.removeprefix("Patient/") for value in text.split(","))
    meant = ids if asked.patients is None else ids & asked.patients
    return replace(_joined(asked, _in("patient", sorted(ids))), patients=meant)


def _agent(asked: Asked, text: str, terms: Terms) -> Asked:
    return _joined(asked, _in("agent", _references(text)))


def _references(text: str) -> list[str]:
    found: list[str] = []
    for value in text.split(","):
        found += [value] if "/" in value else [f"{type}/{value}" for type in AGENTS]
    return found


def _entity(asked: Asked, text: str, terms: Terms) -> Asked:
    """Take literal references: of what was asked for, the patient, or the agent's institution."""
    values = text.split(",")
    if any("/" not in value for value in values):
        raise BadRequest(f"entity={text}: expected references such as Observation/1")
    wanted = frozenset(values)
    return replace(_joined(asked, _of(wanted)), entities=(*asked.entities, wanted))


def _of(entities: frozenset[str], bound: frozenset[str] | None = None) -> Node:
    """Return that a row has one of the entities; of patients, only those of `bound` count."""
    patients = {v.removeprefix("Patient/") for v in entities if v.startswith("Patient/")}
    places = {v.removeprefix("Organization/") for v in entities if v.startswith("Organization/")}
    told = patients if bound is None else patients & bound
    return either(
        _in("entity", sorted(entities)),
        _in("patient", sorted(told)),
        _in("organization", sorted(places)),
    )


def narrowed(asked: Asked, bound: frozenset[str]) -> Asked:
    """Return what is asked of the AuditEvents about these patients alone.

    No row is found by another patient that it tells of: a next page would tell of that one.
    """
    patients = bound if asked.patients is None else bound & asked.patients
    own = (_of(wanted, bound) for wanted in asked.entities)
    where = both(asked.where, _in("patient", sorted(patients)), *own)
    return replace(asked, where=where, patients=patients)


def _date(asked: Asked, text: str, terms: Terms) -> Asked:
    try:
        spans = [conds for value in text.split(",") for conds in date.alternatives(value, terms)]
    except ValueError as fault:
        raise BadRequest(f"date={text}: expected {fault}") from None
    return _joined(asked, either(*(Match("date", conds) for conds in spans)))


def _id(asked: Asked, text: str, terms: Terms) -> Asked:
    events = frozenset(text.split(","))
    rows = frozenset(event.rpartition("-")[0] for event in events)
    return replace(_joined(asked, Ids(rows)), events=events)


def _count(asked: Asked, text: str, terms: Terms) -> Asked:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise BadRequest(f"_count={text}: expected a number of entries, at least 1")
    return replace(asked, count=min(int(text), terms.page_limit))


def _sort(asked: Asked, text: str, terms: Terms) -> Asked:
    if text not in ("date", "-date"):
        raise BadRequest(f"_sort={text}: expected date or -date")
    return replace(asked, descending=text == "-date")


def _cursor(asked: Asked, text: str, terms: Terms) -> Asked:
    return replace(asked, cursor=text)


READERS: dict[str, Reader] = {
    "_count": _count,
    "_cursor": _cursor,
    "_id": _id,
    "_sort": _sort,
    "action": _done("w"),
    "agent": _agent,
    "date": _date,
    "entity": _entity,
    "outcome": _done("u"),
    "patient": _patient,
    "subtype": _done("v"),
}
"""The parameters that are followed; any other is a 400 that names these."""
