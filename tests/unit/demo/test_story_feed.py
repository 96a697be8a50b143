"""The story's messages follow the grammar of HL7 v2.5."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from fhir_server.demo.city import people
from fhir_server.demo.feed import BROKEN_BIRTH, GB18030, HERO, admission, broken, discharge, results

AT = datetime(2026, 6, 20, 8, 30, tzinfo=timezone(timedelta(hours=8)))
LATER = AT + timedelta(days=3)
MESSAGES = {
    "ADT^A01^ADT_A01": admission("C1", AT),
    "ORU^R01^ORU_R01": results("C2", LATER, AT),
    "ADT^A03^ADT_A03": discharge("C3", LATER, AT),
}


def _fields(message: str, name: str) -> list[list[str]]:
    """Returns the fields of the segments `name`, numbered as the standard does."""
    lines = [line for line in message.split("\r") if line.startswith(name)]
    return [(["MSH", *x.split("|")] if name == "MSH" else x.split("|")) for x in lines]


@pytest.mark.parametrize("kind", MESSAGES)
def test_message_is_valid_by_a_second_parser(kind):
    parsed = parse_message(MESSAGES[kind], validation_level=VALIDATION_LEVEL.STRICT)

    assert parsed.validate()


@pytest.mark.parametrize("kind", MESSAGES)
def test_head_names_kind_and_time(kind):
    [head] = _fields(MESSAGES[kind], "MSH")

    assert head[9] == kind
    assert head[7].endswith("+0800")
    assert head[12] == "2.5"


def test_control_id_is_the_callers():
    [head] = _fields(admission("Q-17", AT), "MSH")

    assert head[10] == "Q-17"


def test_result_declares_gb18030_and_needs_decoding_before_splitting():
    [head] = _fields(MESSAGES["ORU^R01^ORU_R01"], "MSH")
    encoded = MESSAGES["ORU^R01^ORU_R01"].encode("gb18030")

    assert head[18] == GB18030
    assert "昞".encode("gb18030")[1:] == b"\\"
    assert encoded.count(b"\\") > MESSAGES["ORU^R01^ORU_R01"].count("\\")


def test_results_show_steady_pressure_on_two_days():
    values = [
        (fields[3].split("^")[0], Decimal(fields[5]), fields[14][:8])
        for fields in _fields(MESSAGES["ORU^R01^ORU_R01"], "OBX")
        if fields[2] == "NM"
    ]
    systolic = [(value, day) for code, value, day in values if code == "8480-6"]
    diastolic = [value for code, value, _ in values if code == "8462-4"]

    assert all(value < 140 for value, _ in systolic)
    assert all(value < 90 for value in diastolic)
    assert {day for _, day in systolic} == {"20260621", "20260622"}


def test_results_have_their_own_filler_numbers():
    fillers = [fields[3] for fields in _fields(MESSAGES["ORU^R01^ORU_R01"], "OBR")]

    assert len(set(fillers)) == len(fillers) == 3


def test_all_messages_are_about_one_visit_of_one_patient():
    people_named = {_fields(text, "PID")[0][3] for text in MESSAGES.values()}
    visits = {_fields(text, "PV1")[0][19] for text in MESSAGES.values()}

    assert len(people_named) == len(visits) == 1


def test_broken_message_differs_from_its_correction_by_the_birth_date_alone():
    assert broken("C4", AT).replace(BROKEN_BIRTH, "19600819") == admission("C4", AT)
    assert broken("C4", AT) != admission("C4", AT)


def test_hero_is_nobody_of_the_city():
    assert HERO.name.text not in {person.name.text for person in people(100)}
