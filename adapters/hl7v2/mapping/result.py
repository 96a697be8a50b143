"""OBX to Observation.

https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.faults import REQUIRED_MISSING
from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import alternate, coding, concept, table_concept
from adapters.hl7v2.mapping.identifiers import ei_number, identifier, staff_reference
from adapters.hl7v2.mapping.parts import Part, contribute
from adapters.hl7v2.mapping.times import as_moment, date_time
from adapters.hl7v2.mapping.values import reference_range, value_of
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Segment

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_INTERPRETATION = tables.V3 + "ObservationInterpretation"


@dataclass(frozen=True, slots=True)
class Order:
    """What the results of one report share.

    `key` names the report, `about` holds subject, encounter and performer; `status` is the
    report's own code where OBR-25 gives one; `changed` is OBR-22, `collected` OBR-7.
    """

    key: tuple[str, str]
    about: Mapping[str, Any]
    section: str
    status: str
    collected: str
    issued: str
    changed: str


@dataclass(frozen=True, slots=True)
class Line:
    """An OBX with its notes, and how often its code and sub-id came before it in the report.

    `more` are the OBX that go on with its text.
    """

    obx: Segment
    notes: tuple[Segment, ...]
    repeat: int
    more: tuple[Segment, ...] = ()


def status_of(obx: Segment, order: Order) -> tuple[str, int, bool]:
    """Return Observation.status, its rank and whether it says all of OBX-11."""
    code = obx.text(11).upper()
    if code:
        return tables.RESULT_STATUS.get(code, tables.RESULT_UNKNOWN)
    status = tables.RESULT_OF_REPORT.get(order.status)
    ranks = {name: rank for name, rank, _ in tables.RESULT_STATUS.values()}
    return (status, ranks[status], True) if status else tables.RESULT_UNSAID


def name_of(obx: Segment) -> tuple[str, str]:
    """Return what tells a result from others of its report: OBX-3 with its suffix, and OBX-4."""
    code = obx.text(3) or obx.text(3, 2)
    return "&".join(filter(None, (code, obx.text(3, 1, 2)))), obx.text(4)


def observation(line: Line, order: Order, work: Work) -> Contribution:
    """Return the contribution of one result (OBX with its NTE)."""
    obx = line.obx
    status, rank, is_exact = status_of(obx, order)
    parts = [
        Part("about", _about(obx, order, work), rank),
        _status(obx, status, rank, is_exact, order),
        _value(line, rank, work),
        _note(line.notes, rank),
    ]
    changed = order.changed or _observed(obx, work) or work.sent
    time = f"{changed} {work.sent}"
    return contribute("Observation", _id(line, order, work), parts, time)


def _id(line: Line, order: Order, work: Work) -> str:
    unique = ei_number(line.obx.element(21), work.source.local("OBX-21"), work.source)
    if unique:
        return work.ids("Observation", *unique)
    system, report = order.key
    code, sub_id = name_of(line.obx)
    ordinal = f"|{line.repeat}" if line.repeat else ""
    return work.ids("Observation", system, f"{report}|{code}|{sub_id}{ordinal}")


def _about(obx: Segment, order: Order, work: Work) -> dict[str, Any]:
    code = concept(obx.element(3), "OBX-3", work.source)
    if code is None:
        raise obx.fault(REQUIRED_MISSING, 3, "expected the code or the name of what was observed")
    category = _category(obx, order)
    about = {
        "code": code,
        "category": [{"coding": [coding(_CATEGORY, category)]}],
        **order.about,
    }
    unique = ei_number(obx.element(21), work.source.local("OBX-21"), work.source)
    if unique:
        about["identifier"] = [identifier(*unique)]
    effective = date_time(obx, 14, work.source) or order.collected
    about |= {"effectiveDateTime": effective} if effective else {}
    method = concept(obx.element(17), "OBX-17", work.source)
    about |= {"method": method} if method else {}
    people = [p for one in obx.elements(16) if (p := staff_reference(one, work.source))]
    about |= {"performer": [*people, *order.about["performer"]]} if people else {}
    return about


def _category(obx: Segment, order: Order) -> str:
    if obx.text(3) in tables.VITAL_SIGNS and obx.text(3, 3) == "LN":
        return "vital-signs"
    return tables.OBSERVATION_CATEGORIES.get(order.section, "laboratory")


def _status(obx: Segment, status: str, rank: int, is_exact: bool, order: Order) -> Part:
    fields: dict[str, Any] = {"status": status}
    if not is_exact:
        code = obx.text(11).upper()
        said = table_concept("0085", code, tables.RESULT_STATUS)
        fields["_status"] = alternate(said)
    fields |= {"issued": order.issued} if order.issued else {}
    return Part("status", fields, rank)


def _value(line: Line, rank: int, work: Work) -> Part | None:
    """What an empty OBX-5 leaves unsaid stays as an earlier message said it (OBX-11 U)."""
    obx = line.obx
    absent = tables.RESULT_ABSENT.get(obx.text(11).upper())
    fields = {} if absent else value_of(obx, line.more, work.source)
    if not fields and not absent and not obx.is_null(5):
        return None
    if absent:
        fields["dataAbsentReason"] = {"coding": [coding(_ABSENT, *absent)]}
    ranges = reference_range(obx, work.source)
    flags = _interpretation(obx, work)
    fields |= {"referenceRange": ranges} if ranges else {}
    fields |= {"interpretation": flags} if flags else {}
    return Part("value", fields, rank)


def _interpretation(obx: Segment, work: Work) -> list[dict[str, Any]]:
    found = []
    for element in obx.elements(8):
        code = element.text(1)
        known = tables.INTERPRETATIONS.get(code) or tables.INTERPRETATIONS.get(code.upper())
        if known:
            found.append({"coding": [coding(_INTERPRETATION, known)], "text": code})
        elif unknown := concept(element, "OBX-8", work.source):
            found.append(unknown)
    return found


def _note(notes: Sequence[Segment], rank: int) -> Part | None:
    text = "\n".join(line for note in notes for one in note.elements(3) if (line := one.whole()))
    return Part("note", {"note": [{"text": text}]}, rank) if text else None


def _observed(obx: Segment, work: Work) -> str:
    return as_moment(date_time(obx, 14, work.source), work.source)
