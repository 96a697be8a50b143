"""ORU R01.

https://www.hl7.eu/HL7v2x/v251/std251/ch07.html
"""

from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.faults import SEGMENT_SEQUENCE, ContentFault, Location
from adapters.hl7v2.mapping.encounter import Visit, encounter, visit_key
from adapters.hl7v2.mapping.parts import reference
from adapters.hl7v2.mapping.patient import patient
from adapters.hl7v2.mapping.report import OrderGroup, report
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Message, Segment


@dataclass(slots=True)
class _PatientGroup:
    """The segments of one PID: its PV1 and its orders."""

    pid: Segment
    relatives: list[Segment] = field(default_factory=list)
    pv1: Segment | None = None
    orders: list[OrderGroup] = field(default_factory=list)


def results(message: Message, event: str, work: Work) -> list[Contribution]:
    """Return reports and observations, with patient and encounter where nobody made them yet."""
    groups = _groups(message)
    if not groups or not (any(group.orders for group in groups) or work.stand_in("OBR")):
        raise ContentFault(SEGMENT_SEQUENCE, Location("OBR"), "expected PID and at least one OBR")
    return [found for group in groups for found in _of_patient(group, event, work)]


def _of_patient(group: _PatientGroup, event: str, work: Work) -> list[Contribution]:
    who = patient(group.pid, group.relatives, work, work.sent, "create")
    found = [who]
    about: dict[str, Any] = {
        "subject": reference("Patient", who.id),
        "performer": [reference("Organization", work.source.owner)],
    }
    key = visit_key(group.pv1, work.source) or work.stand_in("PV1")
    if group.pv1 is not None and key is not None:
        stay = encounter(Visit(group.pv1, key), who.id, event, (), work)
        found.append(stay)
        about["encounter"] = reference("Encounter", stay.id)
    return found + [one for order in group.orders for one in report(order, about, work)]


def _groups(message: Message) -> list[_PatientGroup]:
    groups: list[_PatientGroup] = []
    orc: Segment | None = None
    notes: list[Segment] | None = None  # of the OBX that the next NTE belongs to
    for segment in message.segments:
        name = segment.name
        if name == "PID":
            groups.append(_PatientGroup(segment))
            orc = notes = None
        elif name in ("OBR", "OBX", "PV1") and not groups:
            raise ContentFault(SEGMENT_SEQUENCE, Location("PID"), f"expected PID before {name}")
        elif name == "NK1" and groups:
            groups[-1].relatives.append(segment)
        elif name == "PV1":
            groups[-1].pv1 = segment
        elif name == "ORC":
            orc, notes = segment, None
        elif name == "OBR":
            groups[-1].orders.append(OrderGroup(orc, segment, []))
            orc = notes = None
        elif name == "OBX":
            notes = _add_result(groups[-1], segment)
        elif name == "NTE" and notes is not None:
            notes.append(segment)
    return groups


def _add_result(group: _PatientGroup, obx: Segment) -> list[Segment]:
    if not group.orders:
        raise obx.fault(SEGMENT_SEQUENCE, 0, "expected OBR before OBX")
    notes: list[Segment] = []
    group.orders[-1].results.append((obx, notes))
    return notes
