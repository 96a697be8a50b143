"""The rules at the top of adapters/hl7v2/ack.py; hl7apy judges what we build."""

from datetime import UTC, datetime

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from adapters.hl7v2.ack import SYSTEM_FAULT, acknowledge, due, outcome_of
from adapters.hl7v2.faults import MEANINGS, ContentFault, Location
from adapters.hl7v2.header import read_header
from adapters.hl7v2.message import parse

_NOW = datetime(2025, 3, 10, 1, 15, 13, tzinfo=UTC)
_FAULT = ContentFault("101", Location("PID", 1, 3), "expected a number | of H1")


def _header(version="2.5", accept="", application="", control_id="HIS1", sender="HIS"):
    fields = f"MSH|^~\\&|{sender}|H1|HUB|CITY|20250101||ADT^A01|{control_id}|P|{version}"
    return read_header(parse(f"{fields}|||{accept}|{application}|CHN|UNICODE UTF-8\r"))


def _answer(header, code="AE", fault=_FAULT):
    return acknowledge(header, code, control_id="HUB1", time=_NOW, fault=fault)


def test_acceptance_names_the_message_and_changes_sides():
    expected = (
        "MSH|^~\\&|HUB|CITY|HIS|H1|20250310011513+0000||ACK^A01^ACK|HUB1|P|2.5||||||UNICODE UTF-8\r"
        "MSA|AA|HIS1\r"
    )

    assert _answer(_header(), "AA", None) == expected


def test_fault_tells_place_code_and_text():
    err = parse(_answer(_header())).first("ERR")

    assert (err.field(2), err.field(3), err.text(7)) == (
        "PID^1^3",
        "101^Required field missing^HL70357",
        "expected a number | of H1",
    )


@pytest.mark.parametrize("version", ["2.3.1", "2.4"])
def test_old_versions_tell_it_in_one_field(version):
    err = parse(_answer(_header(version))).first("ERR")

    assert err.field(1) == "PID^1^3^101&Required field missing&HL70357"


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5", "2.5.1", "2.6"])
@pytest.mark.parametrize("fault", [None, _FAULT, SYSTEM_FAULT])
def test_acknowledgement_conforms(version, fault):
    """An independent parser with the tables of each version finds nothing wrong."""
    text = _answer(_header(version), "AE" if fault else "AA", fault)

    message = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT, find_groups=False)
    assert message.validate()


def test_control_characters_are_not_echoed():
    text = _answer(_header(control_id="1\x1c\x0b2", sender="HI\x00S"), "AA", None)

    assert not any(character < " " and character != "\r" for character in text)
    assert "MSA|AA|12\r" in text


def test_segments_of_the_answer_are_ours_alone():
    fault = ContentFault("100", Location("PID"), "one\rMSA|AA|HIS1\r")

    names = [segment.name for segment in parse(_answer(_header(), "AE", fault)).segments]
    assert names == ["MSH", "MSA", "ERR"]


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_fault_has_an_outcome(code):
    fault = ContentFault(code, Location("MSH"), "text")

    refused = code in {"200", "201", "202", "203", "207"}
    assert outcome_of(fault) == ("reject" if refused else "error")


@pytest.mark.parametrize(
    ("accept", "application", "outcome", "expected"),
    [
        ("", "", "accept", "AA"),
        ("", "", "error", "AE"),
        ("", "", "reject", "AR"),
        ("AL", "NE", "accept", "CA"),
        ("AL", "AL", "reject", "CR"),
        ("NE", "NE", "error", None),
        ("NE", "AL", "error", "AE"),
        ("ER", "NE", "accept", None),
        ("ER", "NE", "error", "CE"),
        ("SU", "ER", "error", "AE"),
        ("", "SU", "accept", "AA"),
    ],
)
def test_enhanced_mode_follows_the_header(accept, application, outcome, expected):
    header = _header(accept=accept, application=application)

    assert due(header, outcome, "enhanced") == expected


def test_original_mode_ignores_what_the_header_asks_for():
    assert due(_header(accept="NE", application="NE"), "accept", "original") == "AA"
