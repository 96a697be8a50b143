"""ADT A01, A03, A04 and A08.

https://www.hl7.eu/HL7v2x/v251/std251/ch03.html
"""

from dataclasses import replace

from adapters.hl7v2.faults import REQUIRED_MISSING, SEGMENT_SEQUENCE, ContentFault, Location
from adapters.hl7v2.mapping.clinical import allergies, conditions, diagnoses
from adapters.hl7v2.mapping.encounter import Visit, encounter, visit_key
from adapters.hl7v2.mapping.patient import patient, patient_key
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Message


def admission(message: Message, event: str, work: Work) -> list[Contribution]:
    """Return patient, encounter, diagnoses and allergies of an admission, discharge or update.

    An A08 without visit number updates the patient alone; the other events demand one.
    """
    pid = message.first("PID")
    if pid is None:
        raise ContentFault(SEGMENT_SEQUENCE, Location("PID"), "expected a PID segment")
    found = [patient(pid, message.all("NK1"), work, work.happened, "update")]
    known_allergies = allergies(message.all("AL1"), patient_key(pid, work), work)
    found += [replace(one, anchor=f"Patient-{found[0].id}") for one in known_allergies]
    visit = _visit(message, event, work)
    if visit is None:
        return found
    segments = message.all("DG1")
    known = conditions(segments, visit.key, found[0].id, work)
    stay = encounter(visit, found[0].id, event, diagnoses(segments, known), work)
    anchor = f"Encounter-{stay.id}"
    return [*found, *(replace(one, anchor=anchor) for one in known), stay]


def _visit(message: Message, event: str, work: Work) -> Visit | None:
    pv1 = message.first("PV1")
    key = visit_key(pv1, work.source)
    if pv1 is not None and key is not None:
        return Visit(pv1, key, message.first("PV2"))
    if event == "A08":
        return None
    stand_in = work.stand_in("PV1")
    if pv1 is not None and stand_in:
        return Visit(pv1, stand_in, message.first("PV2"))
    if pv1 is None:
        raise ContentFault(SEGMENT_SEQUENCE, Location("PV1"), "expected a PV1 segment")
    raise pv1.fault(REQUIRED_MISSING, 19, "expected the visit number")
