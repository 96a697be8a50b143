"""Who looked at my record: audit rows in a patient's own words.

One line a day, person and institution, so that a page that asks twenty questions is one visit; the
institution is named beside the person, what kinds of data, and by which choice of the patient's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

from fhir_server.audit.row import Row
from fhir_server.authz.grant import Grant
from fhir_server.search.terms import SHANGHAI

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Line:
    """One visit of one person: `day` as 2026-11-25, `first` and `last` as 08:30; all else in words.

    `why` names the ground, `sources` what it follows from (`Consent/…`, `Task/…`), to link to.
    """

    day: str
    first: str
    last: str
    person: str
    organization: str
    did: str
    kinds: tuple[str, ...]
    why: str
    sources: tuple[str, ...]
    requests: int


_KINDS: dict[str, tuple[str, str]] = {
    "AllergyIntolerance": ("过敏史", "allergies"),
    "Appointment": ("预约", "appointments"),
    "AuditEvent": ("访问记录", "the log of who looked"),
    "CarePlan": ("健康管理计划", "care plans"),
    "Condition": ("诊断", "diagnoses"),
    "Consent": ("授权书", "consents"),
    "DiagnosticReport": ("检查检验报告", "reports"),
    "DocumentReference": ("文书", "documents"),
    "Encounter": ("就诊记录", "visits"),
    "EpisodeOfCare": ("专病管理", "programmes"),
    "Goal": ("健康目标", "goals"),
    "ImagingStudy": ("影像", "images"),
    "Immunization": ("预防接种", "vaccinations"),
    "MedicationRequest": ("用药", "medication"),
    "MedicationStatement": ("用药", "medication"),
    "Observation": ("检验结果与生命体征", "results and vital signs"),
    "Patient": ("基本信息", "name and contacts"),
    "Procedure": ("手术与操作", "procedures"),
    "ServiceRequest": ("申请单", "orders"),
    "Task": ("转诊", "referrals"),
}
_OTHER = ("其他健康资料", "other health data")
_DID = {
    "E": ("查看", "looked at"),
    "R": ("查看", "looked at"),
    "C": ("记录", "recorded"),
    "U": ("修改", "changed"),
    "D": ("删除", "deleted"),
}
_WHY = {
    "own": ("本机构保管的您的病历", "your own file at this institution"),
    "consent": ("您签署的授权", "a consent that you gave"),
    "referral": ("您的转诊", "your referral"),
    "operator": ("平台维护", "maintenance of the hub"),
    "open": ("平台以开放方式运行，未核对身份", "the hub ran open: nobody was asked who they are"),
    "auditor": ("审计", "an audit"),
    "feed": ("医院信息系统传送", "sent by the institution's own system"),
}
_DUTIES = {
    "physician": ("医师", "physician"),
    "nurse": ("护士", "nurse"),
    "pharmacist": ("药师", "pharmacist"),
    "technician": ("技师", "technician"),
    "registrar": ("挂号登记员", "registrar"),
    "manager": ("管理人员", "manager"),
}
_DENIED = 400


def looked(
    rows: Iterable[Row],
    patient: str,
    names: Mapping[str, str],
    grants: Sequence[Grant] = (),
    language: Language = "zh",
    zone: tzinfo = SHANGHAI,
) -> list[Line]:
    """Return what others did with the record of `patient`, newest first.

    `names` gives an Organization's name by its id, `grants` are the patient's, closed ones too: the
    reason of a visit is what held when it took place.
    """
    voice = 0 if language == "zh" else 1
    visits: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        mine = row.person == f"Patient/{patient}"
        if patient in row.patients and row.status < _DENIED and not mine:
            who = (_day(row, zone), row.account, row.organization, _DID[row.action][voice])
            visits.setdefault(who, []).append(row)
    ordered = sorted(visits.items(), key=lambda each: max(r.time for r in each[1]), reverse=True)
    return [_line(found, _Words(voice, zone, names), grants) for _, found in ordered]


@dataclass(frozen=True, slots=True)
class _Words:
    """In which language, zone and with which names of institutions a line is written."""

    voice: int
    zone: tzinfo
    names: Mapping[str, str]


def _line(rows: Sequence[Row], words: _Words, grants: Sequence[Grant]) -> Line:
    times = sorted(_moment(row, words.zone) for row in rows)
    latest = max(rows, key=lambda row: row.time)
    kinds = dict.fromkeys(_KINDS.get(row.type, _OTHER)[words.voice] for row in rows)
    why, sources = _reason(rows, grants)
    return Line(
        day=times[0].strftime("%Y-%m-%d"),
        first=times[0].strftime("%H:%M"),
        last=times[-1].strftime("%H:%M"),
        person=_person(latest, words.voice),
        organization=words.names.get(latest.organization, latest.organization),
        did=_DID[latest.action][words.voice],
        kinds=tuple(kinds),
        why=_WHY[why][words.voice],
        sources=sources,
        requests=len(rows),
    )


def _person(row: Row, voice: int) -> str:
    name = row.name or row.account
    if row.duty not in _DUTIES:
        return name
    duty = _DUTIES[row.duty][voice]
    return f"{name}（{duty}）" if voice == 0 else f"{name} ({duty})"


def _reason(rows: Sequence[Row], grants: Sequence[Grant]) -> tuple[str, tuple[str, ...]]:
    """Return the ground of a visit, and the consents and referrals that it follows from."""
    kind = rows[0].kind
    if kind != "staff":
        return (kind if kind in _WHY else "own"), ()
    held = [
        grant
        for grant in grants
        if grant.recipient == rows[0].organization
        and not _returns(grant)
        and any(grant.start <= row.time < grant.until for row in rows)
    ]
    sources = tuple(dict.fromkeys(source for grant in held for source in _sources(grant)))
    if not held:
        return "own", ()
    return ("referral" if any(grant.via for grant in held) else "consent"), sources


def _returns(grant: Grant) -> bool:
    """Tell a sender's grant: it sees what the receiver records, besides the file that it keeps."""
    return bool(grant.rule) and grant.source.startswith("Task/")


def _sources(grant: Grant) -> Iterator[str]:
    yield grant.source
    if grant.via:
        yield grant.via


def _moment(row: Row, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(row.time / 1000, UTC).astimezone(zone)


def _day(row: Row, zone: tzinfo) -> str:
    return _moment(row, zone).strftime("%Y-%m-%d")
