"""OBR with its results to DiagnosticReport.

https://hl7.org/fhir/R4/diagnosticreport.html
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.hl7v2.faults import DATA_TYPE, REQUIRED_MISSING, TABLE_VALUE
from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import alternate, concept, table_concept
from adapters.hl7v2.mapping.identifiers import ei_number, identifier, staff_reference
from adapters.hl7v2.mapping.parts import Part, contribute
from adapters.hl7v2.mapping.result import Line, Order, name_of, observation, status_of
from adapters.hl7v2.mapping.times import date_time, instant, moment
from adapters.hl7v2.mapping.values import TEXT_TYPES
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution
from adapters.hl7v2.message import Element, Segment
from adapters.hl7v2.source import Source

_UNKNOWN = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """The segments of one OBR: its ORC, and its OBX each with their NTE."""

    orc: Segment | None
    obr: Segment
    results: list[tuple[Segment, list[Segment]]]


def report(group: OrderGroup, about: dict[str, Any], work: Work) -> list[Contribution]:
    """Return the observations of an order and its report; `about` is what they share."""
    order = _order(group, about, work)
    attached = [obx for obx, _ in group.results if obx.text(2) in ("ED", "RP")]
    observed = _lines([(obx, notes) for obx, notes in group.results if obx not in attached])
    anchor = f"DiagnosticReport-{work.ids('DiagnosticReport', *order.key)}"
    results = [replace(observation(line, order, work), anchor=anchor) for line in observed]
    return [*results, _report(group, order, attached, observed, results, work)]


def _order(group: OrderGroup, about: dict[str, Any], work: Work) -> Order:
    obr, source = group.obr, work.source
    status = tables.REPORT_STATUS.get(obr.text(25).upper(), ("", 0, True))[0]
    return Order(
        key=_key(group, work),
        about=about,
        section=obr.text(24).upper(),
        status=status,
        collected=date_time(obr, 7, source),
        issued=instant(obr, 22, source),
        changed=moment(obr, 22, source),
    )


def _key(group: OrderGroup, work: Work) -> tuple[str, str]:
    source = work.source
    number = _filler(group, source) or _placer(group, source)
    number = number or work.stand_in(f"OBR{group.obr.ordinal}")
    if number is None:
        raise group.obr.fault(
            REQUIRED_MISSING, 3, "expected a filler order number (or OBR-2, ORC-2, ORC-3)"
        )
    code = group.obr.text(4) or group.obr.text(4, 2)
    if not code and not work.stand_in("OBR"):
        raise group.obr.fault(
            REQUIRED_MISSING, 4, "expected the code or the name of what was ordered"
        )
    return number[0], f"{number[1]}|{code}"


def _filler(group: OrderGroup, source: Source) -> tuple[str, str] | None:
    default = source.fillers or source.local("filler")
    found = ei_number(group.obr.element(3), default, source)
    return found or (ei_number(group.orc.element(3), default, source) if group.orc else None)


def _placer(group: OrderGroup, source: Source) -> tuple[str, str] | None:
    default = source.placers or source.local("placer")
    found = ei_number(group.obr.element(2), default, source)
    return found or (ei_number(group.orc.element(2), default, source) if group.orc else None)


def _lines(results: Sequence[tuple[Segment, list[Segment]]]) -> list[Line]:
    """Join a text told in several OBX; number others that repeat a code, so that all are kept."""
    seen: dict[tuple[str, str], int] = {}
    lines: list[Line] = []
    last = None
    for obx, notes in results:
        key = name_of(obx)
        if key == last and obx.text(2) in TEXT_TYPES:
            before = lines.pop()
            lines.append(replace(before, more=(*before.more, obx), notes=(*before.notes, *notes)))
            continue
        last = key
        repeat = seen.get(key, 0)
        seen[key] = repeat + 1
        lines.append(Line(obx, tuple(notes), repeat))
    return lines


def _report(
    group: OrderGroup,
    order: Order,
    attached: Sequence[Segment],
    lines: Sequence[Line],
    results: Sequence[Contribution],
    work: Work,
) -> Contribution:
    status, rank, is_exact = _status(group.obr, lines, order)
    parts = [
        Part("about", _about(group, order, work), rank),
        _status_part(group.obr, status, rank, is_exact, order),
        _conclusion(lines, rank, work.source),
        _forms(attached, rank),
    ]
    id = work.ids("DiagnosticReport", *order.key)
    time = f"{order.changed or work.sent} {work.sent}"
    members = {f"Observation/{one.id}": (place,) for place, one in enumerate(results)}
    return contribute("DiagnosticReport", id, parts, time, members=members)


def _status(obr: Segment, lines: Sequence[Line], order: Order) -> tuple[str, int, bool]:
    code = obr.text(25).upper()
    if code in tables.REPORT_REFUSED:
        known = " ".join(tables.REPORT_STATUS)
        raise obr.fault(TABLE_VALUE, 25, f"{code!r} is no state of a report; known: {known}")
    if code:
        return tables.REPORT_STATUS.get(code, tables.REPORT_UNKNOWN)
    ranks = [status_of(line.obx, order)[1] for line in lines]
    rank = min(ranks, default=0)
    return tables.REPORT_OF_RANK[rank], rank, True


def _status_part(obr: Segment, status: str, rank: int, is_exact: bool, order: Order) -> Part:
    fields: dict[str, Any] = {"status": status}
    if not is_exact:
        code = obr.text(25).upper()
        said = table_concept("0123", code, tables.REPORT_STATUS)
        fields["_status"] = alternate(said)
    fields |= {"issued": order.issued} if order.issued else {}
    return Part("status", fields, rank)


def _about(group: OrderGroup, order: Order, work: Work) -> dict[str, Any]:
    obr, source = group.obr, work.source
    filler, placer = _filler(group, source), _placer(group, source)
    about: dict[str, Any] = {
        "code": concept(obr.element(4), "OBR-4", source) or {"extension": [_UNKNOWN]},
        "category": [table_concept("0074", one, tables.SECTIONS) for one in _sections(order)],
        **order.about,
    }
    numbers = [
        identifier(*number, kind) for number, kind in ((filler, "FILL"), (placer, "PLAC")) if number
    ]
    about |= {"identifier": numbers} if numbers else {}
    if placer:
        about["basedOn"] = [{"type": "ServiceRequest", "identifier": identifier(*placer, "PLAC")}]
    people = [p for one in obr.elements(32) if (p := staff_reference(_person(one), source))]
    about |= {"resultsInterpreter": people} if people else {}
    specimen = obr.text(15, 1, 2) or obr.text(15, 1, 1)
    about |= {"specimen": [{"display": specimen}]} if specimen else {}
    return about | _effective(obr, order, source)


def _sections(order: Order) -> list[str]:
    """OBR-24, and LAB as well for each section of a laboratory."""
    section = order.section or "LAB"
    if section == "LAB" or section in tables.OBSERVATION_CATEGORIES:
        return [section]
    return ["LAB", section]


def _effective(obr: Segment, order: Order, source: Source) -> dict[str, Any]:
    end = date_time(obr, 8, source)
    if order.collected and end:
        return {"effectivePeriod": {"start": order.collected, "end": end}}
    return {"effectiveDateTime": order.collected} if order.collected else {}


def _conclusion(lines: Sequence[Line], rank: int, source: Source) -> Part | None:
    told = [
        element.whole()
        for line in lines
        if line.obx.text(3) in source.conclusions or line.obx.text(3, 1, 2) == "IMP"
        for obx in (line.obx, *line.more)
        for element in obx.elements(5)
    ]
    return Part("conclusion", {"conclusion": "\n".join(told)}, rank) if told else None


def _forms(attached: Sequence[Segment], rank: int) -> Part | None:
    found = [_form(obx) for obx in attached if obx.elements(5)]
    return Part("form", {"presentedForm": found}, rank) if found else None


def _form(obx: Segment) -> dict[str, Any]:
    title = obx.text(3, 2) or obx.text(3)
    element = obx.element(5)
    if obx.text(2) == "RP":
        kind = tables.MEDIA_TYPES.get(element.text(4).upper())
        found: dict[str, Any] = {"url": element.text(1).replace(" ", "%20")}
    else:
        kind = tables.MEDIA_TYPES.get(element.text(3).upper() or element.text(2).upper())
        found = {"data": _data(obx, element)}
    if not all(found.values()):
        raise obx.fault(REQUIRED_MISSING, 5, "expected the data of an attachment, or where it lies")
    found |= {"title": title} if title else {}
    return found | ({"contentType": kind} if kind else {})


def _data(obx: Segment, element: Element) -> str:
    encoding, text = element.text(4).upper(), element.text(5)
    if encoding in ("", "A", "TEXT"):
        return base64.b64encode(text.encode()).decode()
    try:
        plain = "".join(text.split())
        is_hex = encoding == "HEX"
        raw = bytes.fromhex(plain) if is_hex else base64.b64decode(plain, validate=True)
    except (ValueError, binascii.Error) as error:
        raise obx.fault(DATA_TYPE, 5, f"the data is not valid {encoding[:10]}", 5) from error
    return base64.b64encode(raw).decode()


def _person(element: Element) -> Element:
    """The person of an NDL (OBR-32), whose number and names are subcomponents."""
    separators = element.separators
    first, *others = element.raw.split(separators.component)
    if separators.subcomponent in first:
        return Element(first.replace(separators.subcomponent, separators.component), separators)
    is_time = bool(others) and others[0].isdigit()
    return Element(first, separators) if is_time else element
