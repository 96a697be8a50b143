"""The story's HL7 v2.5 messages about one new patient: admitted, measured, discharged.

https://www.hl7.eu/HL7v2x/v25/std25/hl7.html (ADT_A01, ADT_A03: chapter 3; ORU_R01: chapter 7).

Times and control ids are handed in. The text carries no bytes: encode the ORU in GB18030, as its
MSH-18 says, the others in UTF-8. The patient, 林秀英, is nobody of the city; her pressures are
steady, as a down-referral wants them. The technician's name, 昞, has 0x5C for its second byte in
GB18030: who splits before decoding finds a broken escape there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from fhir_server.demo.cast import CITY, STAFF_BY_ROLE
from fhir_server.demo.identity import phone_of, resident_number
from fhir_server.demo.measures import MEASURES
from fhir_server.demo.names import Name
from fhir_server.demo.results import flag_of
from fhir_server.demo.shapes import hl7_time
from fhir_server.demo.systems import RESIDENT_ID, numbers

UTF8, GB18030 = "UNICODE UTF-8", "GB18030"
_FACILITY = "YTFH"


@dataclass(frozen=True, slots=True)
class Hero:
    """Whom the messages are about."""

    name: Name
    birth: date
    record_number: str
    resident_number: str
    phone: str
    visit_number: str


_BIRTH = date(1960, 8, 19)
HERO = Hero(
    name=Name("林", "秀英", "Lin", "Xiuying"),
    birth=_BIRTH,
    record_number="H90000001",
    resident_number=resident_number(990099, _BIRTH, 21, male=False),
    phone=phone_of(90000001),
    visit_number="V900000010001",
)

BROKEN_BIRTH = "19601399"

# Days after admission, systolic, diastolic: all below 140/90, on different days.
PRESSURES = ((1, "132", "82"), (2, "128", "80"))
# Measure, the laboratory's own code, value.
LABS = (
    ("glucose", "GLU", "5.42"),
    ("cholesterol", "TC", "5.36"),
    ("ldl", "LDL-C", "3.12"),
    ("creatinine", "CREA", "64"),
    ("potassium", "K", "4.10"),
)


def admission(control: str, at: datetime, hero: Hero = HERO) -> str:
    """Returns ADT^A01: the hero is admitted to cardiology with hypertension.

    `at` is aware; `control` becomes MSH-10. Each segment ends with a carriage return.
    """
    return _admission(control, at, hero, f"{hero.birth:%Y%m%d}")


def broken(control: str, at: datetime, hero: Hero = HERO) -> str:
    """Returns the ADT^A01 with a birth date that is no date; `admission` is how it is corrected."""
    return _admission(control, at, hero, BROKEN_BIRTH)


def discharge(control: str, at: datetime, admitted: datetime, hero: Hero = HERO) -> str:
    """Returns ADT^A03: the hero, admitted at `admitted`, goes home at `at`."""
    return _message(
        _msh("ADT^A03^ADT_A03", control, at, "HIS", UTF8),
        _segment("EVN", {1: "A03", 2: hl7_time(at), 6: hl7_time(at)}),
        _pid(hero, f"{hero.birth:%Y%m%d}"),
        _pv1(hero, admitted, {36: "01", 45: hl7_time(at)}),
        _dg1(at, "F"),
    )


def results(control: str, at: datetime, admitted: datetime, hero: Hero = HERO) -> str:
    """Returns ORU^R01: pressures of two days and a report of the laboratory, all final.

    Measurements lie one and two days after `admitted`, so `at` is later than that.
    """
    groups: list[str] = []
    for number, (days, systolic, diastolic) in enumerate(PRESSURES, 1):
        taken = admitted + timedelta(days=days)
        groups.append(_obr(hero, number, _coded("85354-9", "血压", "BP", "血压"), taken))
        groups.append(_obx(1, ("systolic", "SBP", systolic), taken))
        groups.append(_obx(2, ("diastolic", "DBP", diastolic), taken))
    taken = admitted + timedelta(days=1)
    groups.append(_obr(hero, len(PRESSURES) + 1, "BIO^入院生化及尿检^99YTFH", taken))
    groups.extend(_obx(number, lab, taken) for number, lab in enumerate(LABS, 1))
    groups.append(_urine(len(LABS) + 1, taken))
    return _message(
        _msh("ORU^R01^ORU_R01", control, at, "LIS", GB18030),
        _pid(hero, f"{hero.birth:%Y%m%d}"),
        _pv1(hero, admitted, {}),
        *groups,
    )


def _admission(control: str, at: datetime, hero: Hero, birth: str) -> str:
    return _message(
        _msh("ADT^A01^ADT_A01", control, at, "HIS", UTF8),
        _segment("EVN", {1: "A01", 2: hl7_time(at), 6: hl7_time(at)}),
        _pid(hero, birth),
        _pv1(hero, at, {}),
        _dg1(at, "A"),
    )


def _message(*segments: str) -> str:
    return "".join(f"{segment}\r" for segment in segments)


def _segment(name: str, fields: Mapping[int, str]) -> str:
    return "|".join((name, *(fields.get(place, "") for place in range(1, max(fields) + 1))))


def _msh(kind: str, control: str, at: datetime, sender: str, charset: str) -> str:
    fields = {3: sender, 4: _FACILITY, 5: "HUB", 6: "YTHIC", 7: hl7_time(at), 9: kind}
    fields |= {10: control, 11: "P", 12: "2.5", 17: "CHN", 18: charset}
    # MSH-1 is the field separator itself, so that MSH-2 is the first to be joined.
    return _segment(r"MSH|^~\&", {place - 2: text for place, text in fields.items()})


def _authority(owner: str, kind: str) -> str:
    return f"{_FACILITY}&{numbers(owner, kind).removeprefix('urn:oid:')}&ISO"


def _entity(value: str, kind: str) -> str:
    return f"{value}^{_authority('hospital', kind).replace('&', '^')}"


def _pid(hero: Hero, birth: str) -> str:
    name = hero.name
    own = f"{hero.record_number}^^^{_authority('hospital', 'patient')}^MR"
    national = f"{hero.resident_number}^^^MPS&{RESIDENT_ID.removeprefix('urn:oid:')}&ISO^NI"
    fields = {
        1: "1",
        3: f"{own}~{national}",
        5: f"{name.family}^{name.given}^^^^^L^I~{name.family_pinyin}^{name.given_pinyin}^^^^^L^A",
        7: birth,
        8: "F",
        11: f"听潮街18号302室^东堤区^{CITY}^^^CHN^H",
        13: f"^PRN^CP^^86^^{hero.phone.removeprefix('+86')}",
        16: "M",
    }
    return _segment("PID", fields)


def _person(role_id: str) -> str:
    staff = STAFF_BY_ROLE[role_id]
    authority = _authority("hospital", "staff")
    return f"{staff.id.upper()}^{staff.name.family}^{staff.name.given}^^^^^^{authority}^L^^^EI"


def _pv1(hero: Hero, admitted: datetime, more: Mapping[int, str]) -> str:
    fields = {
        1: "1",
        2: "I",
        3: f"CARD^301^02^{_FACILITY}",
        4: "R",
        7: _person("role-cardiologist"),
        10: "CAR",
        19: f"{hero.visit_number}^^^{_authority('hospital', 'visit')}^VN",
        44: hl7_time(admitted),
    }
    return _segment("PV1", {**fields, **more})


def _dg1(at: datetime, kind: str) -> str:
    fields = {1: "1", 3: "I10^原发性高血压^I10", 5: hl7_time(at), 6: kind, 15: "1"}
    return _segment("DG1", fields)


def _coded(code: str, text: str, own: str, own_text: str) -> str:
    return f"{code}^{text}^LN^{own}^{own_text}^99YTFH"


def _obr(hero: Hero, number: int, service: str, taken: datetime) -> str:
    stem = hero.record_number.removeprefix("H")
    fields = {
        1: str(number),
        2: _entity(f"O{stem}{number:04d}", "order"),
        3: _entity(f"R{stem}{number:04d}", "report"),
        4: service,
        7: hl7_time(taken),
        16: _person("role-cardiologist"),
        22: hl7_time(taken + timedelta(hours=2)),
        24: "OTH" if service.startswith("85354-9") else "LAB",
        25: "F",
    }
    return _segment("OBR", fields)


def _obx(number: int, entry: tuple[str, str, str], taken: datetime) -> str:
    key, own, value = entry
    measure = MEASURES[key]
    low, high = measure.female
    interval = f"{low}-{high}" if low and high else f"<{high}" if high else ""
    fields = {
        1: str(number),
        2: "NM",
        3: _coded(measure.code, measure.chinese, own, measure.chinese),
        5: value,
        6: f"{measure.ucum}^{measure.unit}^UCUM",
        7: interval,
        8: flag_of(Decimal(value), measure.female),
        11: "F",
        14: hl7_time(taken),
        16: _person("role-ward-nurse" if key in {"systolic", "diastolic"} else "role-lab"),
    }
    return _segment("OBX", fields)


def _urine(number: int, taken: datetime) -> str:
    fields = {
        1: str(number),
        2: "ST",
        3: _coded("20454-5", "尿蛋白", "UPRO", "尿蛋白定性"),
        5: "阴性",
        7: "阴性",
        8: "N",
        11: "F",
        14: hl7_time(taken),
        16: _person("role-lab"),
    }
    return _segment("OBX", fields)
