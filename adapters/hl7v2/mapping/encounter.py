"""PV1 and PV2 to Encounter.

https://hl7.org/fhir/R4/encounter.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import coding, concept
from adapters.hl7v2.mapping.identifiers import assigner, identifier, staff_reference
from adapters.hl7v2.mapping.parts import Part, contribute, reference
from adapters.hl7v2.mapping.times import date_time
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution, Policy
from adapters.hl7v2.message import Element, Segment
from adapters.hl7v2.source import Source


def visit_key(pv1: Segment | None, source: Source) -> tuple[str, str] | None:
    """Return system and value of the visit number (PV1-19), None where there is none."""
    value = pv1.text(19) if pv1 else ""
    if pv1 is None or not value:
        return None
    named = assigner(pv1.element(19), 4, source)
    return (named.system if named else source.visits or source.local("visit")), value


@dataclass(frozen=True, slots=True)
class Visit:
    """The segments of a visit and system and value of its number."""

    pv1: Segment
    key: tuple[str, str]
    pv2: Segment | None = None


def encounter(
    visit: Visit, patient_id: str, event: str, diagnoses: Sequence[dict[str, Any]], work: Work
) -> Contribution:
    """Return what PV1 says of the visit; `event` decides the status, `diagnoses` are its entries.

    A result's PV1 only creates an encounter that nobody has told of yet.
    """
    pv1, pv2, key = visit.pv1, visit.pv2, visit.key
    source = work.source
    policy: Policy = "create" if event == "R01" else "update"
    parts = [
        Part("identifier", {"identifier": [identifier(*key, "VN")]}),
        _status(event),
        _class(pv1, source),
        _concepts(pv1, 18, "type", "type", source),
        _single(pv1, 10, "service", "serviceType", source),
        Part("subject", {"subject": reference("Patient", patient_id)}),
        Part("organization", {"serviceProvider": reference("Organization", source.owner)}),
        _participants(pv1, source),
        _location(pv1),
        _time(pv1, 44, "start", source),
        _end(pv1, event, work),
        _single(pv1, 14, "admission", "hospitalization.admitSource", source),
        _single(pv1, 36, "discharge", "hospitalization.dischargeDisposition", source),
        _concepts(pv2, 3, "reason", "reasonCode", source) if pv2 else None,
        Part("diagnosis", {"diagnosis": list(diagnoses)}) if diagnoses else None,
    ]
    return contribute("Encounter", work.ids("Encounter", *key), parts, work.happened, policy)


def _status(event: str) -> Part:
    status, rank = tables.ENCOUNTER_STATUS.get(event, tables.ENCOUNTER_UNSAID)
    return Part("status", {"status": status}, rank)


def _class(pv1: Segment, source: Source) -> Part:
    code = pv1.text(2)
    if not code:
        unknown = coding(tables.V3 + "NullFlavor", "UNK", "unknown")
        return Part("class", {"class": unknown}, rank=0)
    known = tables.CLASSES.get(source.classes.get(code, code))
    if known:
        return Part("class", {"class": coding(tables.ACT_CODE, *known)})
    return Part("class", {"class": coding(source.local("PV1-2"), code)})


def _concepts(segment: Segment, field: int, group: str, name: str, source: Source) -> Part | None:
    if not segment.speaks_of(field):
        return None
    found = concept(segment.element(field), _table(segment, field), source)
    return Part(group, {name: [found]} if found else {})


def _single(segment: Segment, field: int, group: str, path: str, source: Source) -> Part | None:
    if not segment.speaks_of(field):
        return None
    found = concept(segment.element(field), _table(segment, field), source)
    return Part(group, {path: found} if found else {})


def _table(segment: Segment, field: int) -> str:
    return f"{segment.name}-{field}"


def _participants(pv1: Segment, source: Source) -> Part | None:
    if not any(pv1.speaks_of(field) for field in tables.PARTICIPANTS):
        return None
    found = [
        {
            "type": [{"coding": [coding(tables.V3 + "ParticipationType", *kind)]}],
            "individual": person,
        }
        for field, kind in tables.PARTICIPANTS.items()
        for element in pv1.elements(field)
        if (person := staff_reference(element, source)) is not None
    ]
    return Part("participant", {"participant": found} if found else {})


def _location(pv1: Segment) -> Part | None:
    if not pv1.speaks_of(3):
        return None
    shown = _place(pv1.element(3))
    return Part("location", {"location": [{"location": {"display": shown}}]} if shown else {})


def _place(element: Element) -> str:
    building, floor, description = element.text(7), element.text(8), element.text(9)
    parts = (building, floor, element.text(1), element.text(2), element.text(3))
    return " ".join(part for part in parts if part) or description


def _time(pv1: Segment, field: int, group: str, source: Source) -> Part | None:
    if not pv1.speaks_of(field):
        return None
    time = date_time(pv1, field, source)
    return Part(group, {f"period.{group}": time} if time else {})


def _end(pv1: Segment, event: str, work: Work) -> Part | None:
    """A discharge that does not say when happened when its event was recorded."""
    said = _time(pv1, 45, "end", work.source)
    if said is None and event == "A03" and work.occurred:
        return Part("end", {"period.end": work.occurred}, rank=0)
    return said
