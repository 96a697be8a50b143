"""Identifiers (CX, EI) and references to people (XCN).

https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from typing import Any

from adapters.hl7v2.mapping.codes import v2_table
from adapters.hl7v2.mapping.names import human_name
from adapters.hl7v2.message import Element
from adapters.hl7v2.source import RESIDENT_ID, Source

IDENTIFIER_TYPE = v2_table("0203")
_SCHEMES = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "URI": "", "DNS": "urn:dns:"}
_NATIONAL = frozenset({"NI", "NNCHN", "SS", "NN"})
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_resident_id(value: str) -> bool:
    """Tell whether 18 characters have the check digit of GB 11643-1999.

    >>> is_resident_id("11010519491231002X")
    True
    """
    digits, check = value[:17], value[17:].upper()
    if len(value) != 18 or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == check


def patient_number(element: Element, source: Source) -> tuple[str, str] | None:
    """Return system and value of a PID-3 repetition of the authority that identifies patients."""
    value = element.text(1)
    if not value:
        return None
    names = {element.text(4), element.text(4, 2)} - {""}
    by_type = element.text(5) in _NATIONAL
    if source.patient.name in names or (not names and not by_type):
        return source.patient.system, value
    return None


def cx_identifier(element: Element, source: Source) -> dict[str, Any] | None:
    """Return an extended composite id with its system, type and assigner."""
    value, kind = element.text(1), element.text(5)
    if not value:
        return None
    number = patient_number(element, source)
    if number is not None:
        return identifier(number[0], value, kind or "MR", source.patient.organization)
    names = (element.text(4), element.text(4, 2))
    known = next((a for name in names if name and (a := source.authority(name))), None)
    if known is not None:
        return identifier(known.system, value, kind, known.organization)
    if kind in _NATIONAL and is_resident_id(value):
        return identifier(RESIDENT_ID, value.upper(), kind)
    return identifier(_system(element, 4, kind or "PID-3", source), value, kind)


def ei_number(element: Element, default: str, source: Source) -> tuple[str, str] | None:
    """Return system and value of an entity identifier; `default` where it names no authority."""
    value, name = element.text(1), element.text(2)
    if not value:
        return None
    known = source.authority(name) if name else None
    if known is not None:
        return known.system, value
    scheme = _SCHEMES.get(element.text(4)) if element.text(3) else None
    if scheme is not None:
        return scheme + element.text(3), value
    return (source.local(name) if name else default), value


def identifier(system: str, value: str, kind: str = "", assigner: str = "") -> dict[str, Any]:
    """Return an Identifier; `kind` is a code of table 0203, `assigner` an Organization's id."""
    found: dict[str, Any] = {"system": system, "value": value}
    if kind:
        found["type"] = {"coding": [{"system": IDENTIFIER_TYPE, "code": kind}]}
    if assigner:
        found["assigner"] = {"reference": f"Organization/{assigner}"}
    return found


def staff_reference(element: Element, source: Source) -> dict[str, Any] | None:
    """Return a logical reference to the practitioner of an XCN: number and name, no resource."""
    number = element.text(1)
    moved = Element(
        element.separators.component.join(element.raw.split(element.separators.component)[1:]),
        element.separators,
    )
    name = human_name(moved)
    display = name["text"] if name else number
    if not display:
        return None
    found: dict[str, Any] = {"type": "Practitioner", "display": display}
    if number:
        found["identifier"] = {"system": source.staff or source.local("staff"), "value": number}
    return found


def _system(element: Element, component: int, kind: str, source: Source) -> str:
    universal, scheme = element.text(component, 2), element.text(component, 3)
    if universal and scheme in _SCHEMES:
        return _SCHEMES[scheme] + universal
    return source.local(element.text(component) or universal or kind)
