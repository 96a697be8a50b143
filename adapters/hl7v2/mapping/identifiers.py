"""Identifiers (CX, EI) and references to people (XCN).

https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from typing import Any

from adapters.hl7v2.mapping.codes import table_concept
from adapters.hl7v2.mapping.names import human_name
from adapters.hl7v2.message import Element
from adapters.hl7v2.source import RESIDENT_ID, Authority, Source

_TYPES = """
    AC ACSN AM AMA AN ANC AND ANON ANT APRN ASID BA BC BCFN BCT BR BRN BSNR CC CONM CY CZ DC
    DCFN DDS DEA DFN DI DL DN DO DP DPM DR DS EI EN ESN FDR FDRFN FI FILL GI GL GN HC IND JHN
    LACSN LANR LI LN LR MA MB MC MCD MCN MCR MCT MD MI MR MRT MS NBSNR NCT NE NH NI NII NIIP
    NNxxx NP NPI OBI OD PA PC PCN PE PEN PHC PHE PHO PI PLAC PN PNT PPIN PPN PRC PRN PT QA RI RN
    RPH RR RRI RRP SB SID SL SN SNBSN SNO SP SR SS STN TAX TN TPR TRL U UDI UPIN USID VN VP VS
    WC WCN WP XV XX
"""
IDENTIFIER_TYPES = frozenset(_TYPES.split())
"""The codes of table 0203 as R4 carries it. https://hl7.org/fhir/R4/v2/0203/index.html"""
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


def authority(namespace: str, universal: str, scheme: str, source: Source) -> Authority | None:
    """Return who assigns a number: an HD's parts, or an EI's; None where they name nobody.

    The source's table comes first, by universal id and then by name; a universal id that is not in
    it speaks for itself, and a bare name is the source's own.
    """
    known = source.authority(universal) if universal else None
    if known is None and not universal and namespace:
        known = source.authority(namespace)
    if known is not None:
        return known
    if universal and scheme in _SCHEMES:
        system = _SCHEMES[scheme] + universal
        return next((one for one in source.known() if one.system == system), None) or Authority(
            universal, system
        )
    name = namespace or universal
    return Authority(name, source.local(name)) if name else None


def assigner(element: Element, component: int, source: Source) -> Authority | None:
    """Return the authority that a component of type HD names."""
    namespace, universal, scheme = (element.text(component, number) for number in (1, 2, 3))
    return authority(namespace, universal, scheme, source)


def patient_number(element: Element, source: Source) -> tuple[str, str] | None:
    """Return system and value of a PID-3 repetition of the authority that identifies patients."""
    value = element.text(1)
    named = assigner(element, 4, source)
    if not value or (named is None and element.text(5) in _NATIONAL):
        return None
    if named is not None and named.system != source.patient.system:
        return None
    return source.patient.system, value


def cx_identifier(element: Element, source: Source) -> dict[str, Any] | None:
    """Return an extended composite id with its system, type and assigner."""
    value, kind = element.text(1), element.text(5)
    if not value:
        return None
    number = patient_number(element, source)
    if number is not None:
        return identifier(number[0], value, kind or "MR", source.patient.organization)
    named = assigner(element, 4, source)
    is_known = named is not None and named in source.known()
    if not is_known and kind in _NATIONAL and is_resident_id(value):
        return identifier(RESIDENT_ID, value.upper(), kind)
    if named is not None:
        return identifier(named.system, value, kind, named.organization)
    return identifier(source.local(kind or "PID-3"), value, kind)


def ei_number(element: Element, default: str, source: Source) -> tuple[str, str] | None:
    """Return system and value of an entity identifier; `default` where it names no authority."""
    value = element.text(1)
    if not value:
        return None
    named = authority(element.text(2), element.text(3), element.text(4), source)
    return named.system if named else default, value


def identifier(system: str, value: str, kind: str = "", assigner: str = "") -> dict[str, Any]:
    """Return an Identifier; `assigner` is an Organization's id.

    `kind` is what the message says in CX.5: a code of table 0203, or else told as text.
    """
    found: dict[str, Any] = {"system": system, "value": value}
    if kind:
        found["type"] = table_concept("0203", kind, IDENTIFIER_TYPES)
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
        named = assigner(element, 9, source)
        system = named.system if named else source.staff or source.local("staff")
        found["identifier"] = {"system": system, "value": number}
    return found
