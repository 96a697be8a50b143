"""What a message as a whole is refused for, and what becomes of it otherwise."""

from dataclasses import replace

import pytest

from adapters.hl7v2.convert import convert, preview
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.mapping import lane_of, map_message
from adapters.hl7v2.message import parse
from adapters.hl7v2.show import show

_PID = "PID|||7^^^H1||张三\r"
_OBR = "OBR|||F1|C1\r"


def _msh(event, control_id="1", processing="P"):
    return f"MSH|^~\\&|HIS|H1|HUB|CITY|20250101||{event}|{control_id}|{processing}|2.5\r"


def _map(text, source, ids, received):
    return map_message(parse(text), source, ids, received)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (_msh("") + _PID, "101", "MSH^1^9"),
        (_msh("ADT^A01", control_id=" ") + _PID, "101", "MSH^1^10"),
        (_msh("ADT^A01", processing="D") + _PID, "202", "MSH^1^11"),
        (_msh("ADT^A02") + _PID, "201", "MSH^1^9"),
        (_msh("ADT^A01"), "100", "PID^1"),
        (_msh("ADT^A01") + "PID|||7^^^别院\r", "101", "PID^1^3"),
        (_msh("ADT^A01") + _PID, "100", "PV1^1"),
        (_msh("ADT^A01") + _PID + "PV1||I\r", "101", "PV1^1^19"),
        (_msh("ADT^A08") + "PID|||7|||||男|||||||||||||||||||||昨天\r", "102", "PID^1^29"),
        (_msh("ORU^R01") + _PID, "100", "OBR^1"),
        (_msh("ORU^R01") + _OBR + _PID, "100", "PID^1"),
        (_msh("ORU^R01") + _PID + "OBX|1|NM|A||5\r" + _OBR, "100", "OBX^1"),
        (_msh("ORU^R01") + _PID + "OBR||||C1\r", "101", "OBR^1^3"),
        (_msh("ORU^R01") + _PID + "OBR|||F1\r", "101", "OBR^1^4"),
        (_msh("ORU^R01") + _PID + _OBR + "OBX|1|NM\r", "101", "OBX^1^3"),
        (_msh("ORU^R01") + _PID + "OBR|||F1|C1" + "|" * 21 + "Y\r", "103", "OBR^1^25"),
        (_msh("ORU^R01") + _PID + _OBR + "OBX|1|ED|A||^^PDF^Base64^*\r", "102", "OBX^1^5^1^5"),
    ],
)
def test_content_fault_says_code_and_place(text, code, place, source, ids, received):
    with pytest.raises(ContentFault) as caught:
        _map(text, source, ids, received)

    assert (caught.value.code, str(caught.value.location)) == (code, place)


def test_event_that_is_not_used_is_passed_over_where_the_source_says_so(source, ids, received):
    mapped = _map(_msh("ADT^A02") + _PID, replace(source, unsupported="ignore"), ids, received)

    assert mapped.contributions == ()


def test_segments_that_no_table_reads_are_named(source, ids, received):
    mapped = _map(_msh("ADT^A08") + _PID + "IN1|1\rZPI|1\rZPI|2\r", source, ids, received)

    assert mapped.unread == ("IN1", "ZPI")


def test_provenance_names_everything_and_its_sender(source, ids, received):
    *made, trail = _map(_msh("ADT^A08", "M1") + _PID, source, ids, received).contributions

    assert trail.resource["target"] == [{"reference": f"{one.type}/{one.id}"} for one in made]
    assert trail.resource["entity"][0]["what"]["identifier"]["value"] == "M1"


def test_message_without_numbers_can_be_looked_at(source, ids, received):
    text = _msh("ORU^R01") + "PID|1||||张三\rOBR|1|||C1\rOBX|1|NM|A||5\rOBX|1|NM|A||6\r"

    bundle, fault = preview(text.encode(), source, ids, received)
    assert str(fault.location) == "PID^1^3"
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Patient", "Observation", "Observation", "DiagnosticReport", "Provenance"]


def test_results_of_two_patients_stay_apart(source, ids, received):
    text = _msh("ORU^R01") + _PID + _OBR + "OBX|1|NM|A||5\r"
    text += _PID.replace("7", "8") + _OBR.replace("F1", "F2") + "OBX|1|NM|A||6\r"

    contributions = _map(text, source, ids, received).contributions
    subjects = {
        one.resource["subject"]["reference"] for one in contributions if one.type == "Observation"
    }
    assert len(subjects) == 2


def test_unknown_sex_keeps_its_code(source, ids, received):
    [patient, _] = _map(_msh("ADT^A08") + "PID|||7|||||Q\r", source, ids, received).contributions

    beside = patient.resource["_gender"]["extension"][0]["valueCodeableConcept"]
    assert (patient.resource["gender"], beside) == ("unknown", {"text": "Q"})


@pytest.mark.parametrize("order", ["202503110500", "9" * 5000, "0", "x"])
def test_birth_order_that_is_none_is_left_out(order, source, ids, received):
    text = _msh("ADT^A08") + "PID|||7^^^H1||张三" + "|" * 19 + f"Y|{order}\r"

    resources = [one["resource"] for one in convert(text.encode(), source, ids, received)["entry"]]

    assert resources[0]["multipleBirthBoolean"] is True


@pytest.mark.parametrize("rank", ["99999999999", "9" * 5000, "0"])
def test_rank_that_is_none_is_left_out(rank, source, ids, received):
    visit = "PV1||I" + "|" * 17 + "V1\r"
    text = _msh("ADT^A01") + "PID|||7^^^H1||张三\r" + visit + "DG1|1||I10^病" + "|" * 12 + rank

    resources = [one["resource"] for one in convert(text.encode(), source, ids, received)["entry"]]

    [encounter] = [each for each in resources if each["resourceType"] == "Encounter"]
    assert encounter["diagnosis"]
    assert not any("rank" in each for each in encounter["diagnosis"])


def test_lane_is_the_patient(source):
    assert lane_of(parse(_msh("ADT^A08") + _PID), source) == ("urn:oid:1.2.3.1", "7")


def test_message_without_patient_has_no_lane(source):
    assert lane_of(parse(_msh("ADT^A08") + "PID|||7^^^X\r"), source) is None


def test_show_names_the_fields():
    lines = show((_msh("ADT^A08") + _PID).encode()).splitlines()

    assert lines[0] == "utf-8 (guessed)"
    assert "  PID-5   Patient Name                       张三" in lines


def test_show_makes_control_characters_visible():
    assert "\\x1c" in show(b"MSH|^~\\&|\x1c\r")
