"""PID and NK1 to Patient.

https://hl7.org/fhir/R4/patient.html
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from adapters.hl7v2.faults import REQUIRED_MISSING
from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import alternate, coding, concept, v2_table
from adapters.hl7v2.mapping.identifiers import (
    cx_identifier,
    identifier,
    is_resident_id,
    patient_number,
)
from adapters.hl7v2.mapping.names import address, contact_point, human_name
from adapters.hl7v2.mapping.parts import Part, contribute, reference
from adapters.hl7v2.mapping.times import date, date_time
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution, Policy
from adapters.hl7v2.message import Element, Segment
from adapters.hl7v2.source import RESIDENT_ID, Source

_BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"


def number_of(pid: Segment, source: Source) -> tuple[str, str] | None:
    """Return system and value of the PID-3 repetition of the source's patient authority."""
    numbers = (patient_number(element, source) for element in pid.elements(3))
    return next((number for number in numbers if number is not None), None)


def patient_key(pid: Segment, work: Work) -> tuple[str, str]:
    """Return system and value of the number that identifies the patient.

    Raises ContentFault 101 where there is none.
    """
    source = work.source
    number = number_of(pid, source) or work.stand_in(f"PID{pid.ordinal}")
    if number is not None:
        return number
    wanted = f"a patient number of {source.patient.name!r} (PID-3.4), or one without authority"
    raise pid.fault(REQUIRED_MISSING, 3, f"expected {wanted}")


def patient(
    pid: Segment,
    relatives: Sequence[Segment],
    work: Work,
    event_time: str,
    policy: Policy,
) -> Contribution:
    """Return what PID (and NK1) say of the patient."""
    source = work.source
    parts = [
        _identifiers(pid, source),
        _list_part(pid, (5, 9), "name", lambda element, _: human_name(element)),
        _gender(pid),
        _birth(pid, source),
        _list_part(pid, (11,), "address", lambda element, _: address(element)),
        _list_part(pid, (13, 14), "telecom", _telecom),
        _marital(pid, source),
        _death(pid, source),
        _multiple_birth(pid),
        _language(pid, source),
        _contacts(relatives, source),
        Part("organization", {"managingOrganization": reference("Organization", source.owner)}),
    ]
    id = work.ids("Patient", *patient_key(pid, work))
    return contribute("Patient", id, parts, event_time, policy)


def _identifiers(pid: Segment, source: Source) -> Part:
    found = [i for element in pid.elements(3) if (i := cx_identifier(element, source))]
    national = pid.text(19)
    if national:
        system = RESIDENT_ID if is_resident_id(national.upper()) else source.local("PID-19")
        value = national.upper() if system == RESIDENT_ID else national
        found.append(identifier(system, value, "NI"))
    account = cx_identifier(pid.element(18), source) if pid.element(18).text(4) else None
    if account:
        found.append(account)
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        seen.setdefault((one["system"], one["value"]), one)
    return Part("identifier", {"identifier": list(seen.values())})


def _list_part(
    segment: Segment,
    fields: Sequence[int],
    name: str,
    make: Callable[[Element, int], dict[str, Any] | None],
) -> Part | None:
    if not any(segment.speaks_of(number) for number in fields):
        return None
    found = [
        made
        for number in fields
        for element in segment.elements(number)
        if (made := make(element, number)) is not None
    ]
    return Part(name, {name: found} if found else {})


def _telecom(element: Element, field: int) -> dict[str, Any] | None:
    return contact_point(element, "home" if field == 13 else "work")


def _gender(pid: Segment) -> Part | None:
    if not pid.speaks_of(8):
        return None
    code = pid.text(8).upper()
    if not code:
        return Part("gender")
    gender = tables.GENDERS.get(code, "unknown")
    if code in tables.GENDERS_EXACT:
        return Part("gender", {"gender": gender})
    system = tables.GB_SEX if code.isdigit() else v2_table("0001")
    said = {"coding": [coding(system, code)]} if code.isascii() and code in tables.GENDERS else {}
    beside = alternate(said | {"text": code})
    return Part("gender", {"gender": gender, "_gender": beside})


def _birth(pid: Segment, source: Source) -> Part | None:
    if not pid.speaks_of(7):
        return None
    day, time = date(pid, 7, source), date_time(pid, 7, source)
    if not day:
        return Part("birth")
    fields: dict[str, Any] = {"birthDate": day}
    if "T" in time and "T00:00:00" not in time:  # midnight fills a field that must have a time
        fields["_birthDate"] = {"extension": [{"url": _BIRTH_TIME, "valueDateTime": time}]}
    return Part("birth", fields)


def _marital(pid: Segment, source: Source) -> Part | None:
    if not pid.speaks_of(16):
        return None
    element = pid.element(16)
    code = element.text(1)
    found = concept(element, "PID-16", source)
    if found is None:
        return Part("marital")
    codings = []
    if code in tables.MARITAL:
        codings.append(coding(tables.V3 + "MaritalStatus", tables.MARITAL[code]))
    if code.isdigit():
        codings.append(coding(tables.GB_MARITAL, code))
    if codings:
        found = {"coding": codings, "text": found["text"]}
    return Part("marital", {"maritalStatus": found})


def _death(pid: Segment, source: Source) -> Part | None:
    if not (pid.speaks_of(29) or pid.speaks_of(30)):
        return None
    time = date_time(pid, 29, source)
    if time:
        return Part("death", {"deceasedDateTime": time})
    indicator = {"Y": True, "N": False}.get(pid.text(30).upper())
    return Part("death", {} if indicator is None else {"deceasedBoolean": indicator})


_ORDER = re.compile(r"0?[1-9][0-9]?")  # HL7 v2.5.1 section 3.4.2.25: NM of 2


def _multiple_birth(pid: Segment) -> Part | None:
    if not (pid.speaks_of(24) or pid.speaks_of(25)):
        return None
    order, indicator = pid.text(25), {"Y": True, "N": False}.get(pid.text(24).upper())
    if _ORDER.fullmatch(order) and indicator is not False:
        return Part("multiple", {"multipleBirthInteger": int(order)})
    return Part("multiple", {} if indicator is None else {"multipleBirthBoolean": indicator})


def _language(pid: Segment, source: Source) -> Part | None:
    if not pid.speaks_of(15):
        return None
    language = concept(pid.element(15), "PID-15", source)
    return Part("language", {"communication": [{"language": language}]} if language else {})


def _contacts(relatives: Sequence[Segment], source: Source) -> Part | None:
    found = [contact for one in relatives if (contact := _contact(one, source))]
    return Part("contact", {"contact": found}) if found else None


def _contact(nk1: Segment, source: Source) -> dict[str, Any] | None:
    relationships = [
        one for field in (3, 7) if (one := concept(nk1.element(field), f"NK1-{field}", source))
    ]
    name = human_name(nk1.element(2))
    home = address(nk1.element(4))
    telecom = [
        point
        for number, use in ((5, "home"), (6, "work"))
        for element in nk1.elements(number)
        if (point := contact_point(element, use))
    ]
    contact: dict[str, Any] = {"relationship": relationships} if relationships else {}
    contact |= {"name": name} if name else {}
    contact |= {"telecom": telecom} if telecom else {}
    contact |= {"address": home} if home else {}
    gender = tables.GENDERS.get(nk1.text(15).upper())
    contact |= {"gender": gender} if gender else {}
    ends = {"start": date_time(nk1, 8, source), "end": date_time(nk1, 9, source)}
    period = {end: time for end, time in ends.items() if time}
    contact |= {"period": period} if period else {}
    return contact if name or telecom or home else None  # pat-1
