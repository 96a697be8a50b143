"""Fields of v2 and what they become, one line each: reviewed like a table."""

from decimal import Decimal

import pytest

from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.mapping import tables
from adapters.hl7v2.mapping.codes import concept
from adapters.hl7v2.mapping.identifiers import (
    cx_identifier,
    identifier,
    is_resident_id,
    staff_reference,
)
from adapters.hl7v2.mapping.names import address, contact_point, human_name
from adapters.hl7v2.mapping.times import as_moment, as_time, date_time
from adapters.hl7v2.mapping.values import reference_range, value_of
from adapters.hl7v2.message import parse
from adapters.hl7v2.source import Authority, Source

_MSH = "MSH|^~\\&|HIS|H1|HUB|CITY|20250101||ORU^R01|1|P|2.5\r"


def _obx(kind, value, unit="", limits=""):
    return parse(f"{_MSH}OBX|1|{kind}|GLU||{value}|{unit}|{limits}").segments[1]


def _element(raw):
    return parse(f"{_MSH}ZZZ|{raw}").segments[1].element(1)


def _quantity(value, comparator=None, unit="mmol/L", code="mmol/L"):
    found = {"value": Decimal(value)} | ({"comparator": comparator} if comparator else {})
    ucum = {"system": "http://unitsofmeasure.org", "code": code} if code else {}
    return {"valueQuantity": found | {"unit": unit} | ucum}


def _ratio(one, other):
    return {"valueRatio": {"numerator": {"value": one}, "denominator": {"value": other}}}


@pytest.mark.parametrize(
    ("kind", "value", "unit", "expected"),
    [
        ("NM", "5.60", "mmol/L", _quantity("5.60")),
        ("NM", "＞３３.３", "mmol/L", _quantity("33.3", ">")),
        ("NM", "≤0.01", "mmol/L", _quantity("0.01", "<=")),
        ("NM", "+5", "mmol/L", _quantity("5")),
        ("NM", "溶血", "mmol/L", {"valueString": "溶血"}),
        ("", "7.1", "mmol/L", _quantity("7.1")),
        ("ST", "5.60", "mmol/L", _quantity("5.60")),
        ("ST", "5.60", "", {"valueString": "5.60"}),
        ("NM", "4.2", "10^9/L", _quantity("4.2", None, "10^9/L", "10*9/L")),
        ("NM", "72", "次/分", _quantity("72", None, "次/分", "/min")),
        ("NM", "36.5", "℃", _quantity("36.5", None, "℃", "Cel")),
        ("NM", "1", "滴", _quantity("1", None, "滴", None)),
        ("NM", "1", "mm[Hg]^毫米汞柱^UCUM", _quantity("1", None, "mm[Hg]", "mm[Hg]")),
        ("SN", ">^100", "mmol/L", _quantity("100", ">")),
        ("SN", "^1^-^2", "", {"valueRange": {"low": {"value": 1}, "high": {"value": 2}}}),
        ("SN", "^1^:^128", "", _ratio(1, 128)),
        ("SN", "^3^+", "", {"valueString": "3+"}),
        ("TX", "一~二", "", {"valueString": "一\n二"}),
        ("FT", "一\\.br\\二", "", {"valueString": "一\n二"}),
        ("DT", "202503", "", {"valueDateTime": "2025-03"}),
        ("TS", "20250301083000", "", {"valueDateTime": "2025-03-01T08:30:00+08:00"}),
        ("TM", "0830", "", {"valueTime": "08:30:00"}),
        ("TM", "晨", "", {"valueString": "晨"}),
        ("DR", "2025^2026", "", {"valuePeriod": {"start": "2025", "end": "2026"}}),
        ("CX", "7^^^H1", "", {"valueString": "7 H1"}),
        ("NM", "", "mmol/L", {}),
        ("NM", '""', "mmol/L", {}),
    ],
)  # fmt: skip
def test_result_value_follows_its_type(kind, value, unit, expected, source):
    assert value_of(_obx(kind, value, unit), (), source) == expected


def test_number_keeps_its_digits(source):
    found = value_of(_obx("NM", "1.00"), (), source)

    assert str(found["valueQuantity"]["value"]) == "1.00"


def test_coded_value_keeps_code_alternate_and_text(source):
    found = value_of(_obx("CWE", "A^A型^99LAB^112144000^A^SCT^^^甲"), (), source)

    assert found["valueCodeableConcept"] == {
        "coding": [
            {"system": "urn:local:h1:99LAB", "code": "A", "display": "A型"},
            {"system": "http://snomed.info/sct", "code": "112144000", "display": "A"},
        ],
        "text": "甲",
    }


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3.9--6.1", "3.9", "6.1"),
        ("3.9～6.1", "3.9", "6.1"),
        ("3.9~6.1", "3.9", "6.1"),
        ("3.9-6.1", "3.9", "6.1"),
        ("-1.0 - 1.0", "-1.0", "1.0"),
        ("＜5.20", None, "5.20"),
        (">=60", "60", None),
        ("6.1-3.9", None, None),
        ("阴性", None, None),
        ("男 3-5 女 2-4", None, None),
    ],
)
def test_reference_range_is_parsed_only_where_plain(text, low, high, source):
    [found] = reference_range(_obx("NM", "5", "mmol/L", text), source)

    limits = {side: str(found[side]["value"]) for side in ("low", "high") if side in found}
    expected = {"low": low, "high": high}
    assert limits == {side: value for side, value in expected.items() if value}
    assert found["text"] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025", "2025"),
        ("202503", "2025-03"),
        ("20250310", "2025-03-10"),
        ("2025031008", "2025-03-10T08:00:00+08:00"),
        ("202503100815", "2025-03-10T08:15:00+08:00"),
        ("20250310081512.25", "2025-03-10T08:15:12.25+08:00"),
        ("20250310081512-0500", "2025-03-10T08:15:12-05:00"),
        ("2025-03-10 08:15:12", "2025-03-10T08:15:12+08:00"),
        ("19880701120000", "1988-07-01T12:00:00+09:00"),
        ("", ""),
    ],
)
def test_time_keeps_its_precision(text, expected, source):
    segment = parse(f"{_MSH}ZZZ|{text}").segments[1]

    assert date_time(segment, 1, source) == expected


@pytest.mark.parametrize("text", ["20250230", "今天", "20251301", "2025031025", "25031"])
def test_no_time_is_a_fault_that_says_where(text, source):
    segment = parse(f"{_MSH}ZZZ|{text}").segments[1]

    with pytest.raises(ContentFault, match=r"ZZZ\^1\^1: .* is no time; expected YYYY"):
        date_time(segment, 1, source)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("2025-03-10T08:00:00+08:00", "2025-03-10T00:00:00.000000Z"),
        ("2025-03-10", "2025-03-09T16:00:00.000000Z"),
        ("2025", "2024-12-31T16:00:00.000000Z"),
        ("", ""),
    ],
)
def test_moments_compare_as_text(found, expected, source):
    assert as_moment(found, source) == expected


def test_time_of_day_out_of_range_is_none():
    assert as_time("2561") == ""


@pytest.mark.parametrize(
    ("raw", "text", "family", "given"),
    [
        ("王芳", "王芳", "王", ["芳"]),
        ("诸葛明", "诸葛明", "诸葛", ["明"]),
        ("欧阳", "欧阳", "欧", ["阳"]),
        ("买买提·艾力", "买买提·艾力", None, None),
        ("张王雨晴", "张王雨晴", None, None),
        ("王^芳", "王芳", "王", ["芳"]),
        ("WANG^FANG", "FANG WANG", "WANG", ["FANG"]),
        ("王&&^芳", "王芳", "王", ["芳"]),
    ],
)
def test_name_is_split_only_where_certain(raw, text, family, given):
    found = human_name(_element(raw))

    assert (found["text"], found.get("family"), found.get("given")) == (text, family, given)


def test_empty_name_is_none():
    assert human_name(_element("^^")) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("文三路259号", {"text": "文三路259号"}),
        ("文三路^3单元^杭州^浙江^310012^CN^H^^西湖", {
            "use": "home", "city": "杭州", "state": "浙江", "postalCode": "310012",
            "country": "CN", "district": "西湖", "line": ["文三路", "3单元"],
        }),
        ("^^^^^^H", None),
    ],
)  # fmt: skip
def test_address_without_places_is_text(raw, expected):
    assert address(_element(raw)) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("13900000001", {"system": "phone", "value": "13900000001", "use": "home"}),
        ("139^^CP", {"system": "phone", "value": "139", "use": "mobile"}),
        ("^WPN^PH^^86^571^8888", {"system": "phone", "value": "+86 571 8888", "use": "work"}),
        ("^NET^Internet^a@b.org", {"system": "email", "value": "a@b.org", "use": "home"}),
        ("^PRN^PH", None),
    ],
)  # fmt: skip
def test_telephone_says_what_it_is(raw, expected):
    assert contact_point(_element(raw), "home") == expected


@pytest.mark.parametrize(
    ("raw", "system"),
    [
        ("7^^^H1^MR", "urn:oid:1.2.3.1"),
        ("7", "urn:oid:1.2.3.1"),
        ("7^^^医保局^HC", "urn:oid:2.16.156.10011.1.15"),
        ("7^^^X&1.2.9&ISO^PI", "urn:oid:1.2.9"),
        ("7^^^H1&1.2.3.1&ISO^MR", "urn:oid:1.2.3.1"),
        ("7^^^H1&1.2.3.2&ISO^VN", "urn:oid:1.2.3.2"),
        ("7^^^&1.2.3.1&ISO", "urn:oid:1.2.3.1"),
        ("7^^^别院^MR", "urn:local:h1:别院"),
        ("99999919620817521X^^^公安^NI", "urn:oid:2.16.156.10011.1.3"),
        ("99999919620817521X^^^^NI", "urn:oid:2.16.156.10011.1.3"),
        ("999999196208175210^^^^NI", "urn:local:h1:NI"),
    ],
)
def test_identifier_has_the_system_of_its_authority(raw, system, source):
    assert cx_identifier(_element(raw), source)["system"] == system


@pytest.mark.parametrize("text", ["11010519491231002x", "11010519491231002X"])
def test_resident_id_is_checked(text):
    assert is_resident_id(text)
    assert not is_resident_id(text.replace("0", "1", 1))


def test_staff_are_named_and_numbered_without_a_resource(source):
    assert staff_reference(_element("D1^王志强"), source) == {
        "type": "Practitioner",
        "display": "王志强",
        "identifier": {"system": "urn:local:h1:staff", "value": "D1"},
    }


def test_every_result_status_of_table_0085_has_an_outcome():
    assert set(tables.RESULT_STATUS) == set("ABCDFINOPRSUVWX")


def test_every_report_status_of_table_0123_has_an_outcome():
    assert set(tables.REPORT_STATUS) | tables.REPORT_REFUSED == set("OISARPFCMXNYZ")


_OWN = Source("lis", "H1", "h1", Authority("H1", "urn:oid:1.2.3"))


@pytest.mark.parametrize("raw", ["7&18-7^HGB^LN", "abc^HGB^LN", "12^HGB^SCT"])
def test_a_code_that_its_system_cannot_have_is_the_sources_own(raw):
    found = concept(_element(raw), "OBX-3", _OWN)

    assert found["coding"][0]["system"] == "urn:local:lis:OBX-3"


def test_an_unknown_kind_of_identifier_is_text():
    assert identifier("urn:s", "1", "QQ") == {
        "system": "urn:s",
        "value": "1",
        "type": {"text": "QQ"},
    }
