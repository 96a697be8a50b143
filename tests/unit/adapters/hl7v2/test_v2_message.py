"""The rules at the top of adapters/hl7v2/message.py and escapes.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.escapes import Separators, escape, unescape
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.message import encode, parse

_MSH = "MSH|^~\\&|HIS|H1|HUB|CITY|20250101||ADT^A01|1|P|2.5\r"
_USUAL = Separators()


def _field(raw: str, number: int = 3):
    return parse(_MSH + f"PID|||{raw}\r").segments[1].element(number)


def test_parts_of_a_field_are_numbered_from_one():
    pid = parse(_MSH + "PID|1||7^^^H1&2.3&ISO^MR~8^^^YB\r").segments[1]

    assert (pid.text(3), pid.text(3, 4, 2), pid.elements(3)[1].text(4)) == ("7", "2.3", "YB")


def test_header_fields_count_the_separator():
    msh = parse(_MSH).msh

    assert (msh.field(1), msh.field(2), msh.text(9, 2)) == ("|", "^~\\&", "A01")


def test_absent_parts_are_empty():
    pid = parse(_MSH + "PID|1\r").segments[1]

    assert (pid.text(3, 4, 2), pid.elements(3), pid.field(99)) == ("", [], "")


def test_null_is_told_apart_from_empty():
    pid = parse(_MSH + 'PID|""|\r').segments[1]

    assert (pid.is_null(1), pid.text(1), pid.speaks_of(1)) == (True, "", True)
    assert (pid.is_null(2), pid.speaks_of(2)) == (False, False)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_is_understood(end):
    message = parse(_MSH.replace("\r", end) + "PID|1" + end)

    assert [segment.name for segment in message.segments] == ["MSH", "PID"]


def test_line_feed_in_a_message_with_returns_is_data():
    assert parse(_MSH + "NTE|1||one\ntwo\r").segments[1].text(3) == "one\ntwo"


def test_own_separators_of_a_message_are_used():
    message = parse("MSH#*!?@#HIS\rPID###7*x!8\r")

    assert [one.text(1) for one in message.segments[1].elements(3)] == ["7", "8"]


def test_separators_that_are_left_out_are_the_usual():
    assert parse("MSH|^|HIS\rPID|||7~8\r").segments[1].elements(3)[1].raw == "8"


@pytest.mark.parametrize("mark", ["\x1c", "\x0b", "\x00", "\n", " "])
def test_a_separator_that_cannot_be_echoed_is_refused(mark):
    """An acknowledgement is written with the sender's own."""
    with pytest.raises(ContentFault):
        parse(_MSH.replace("|", mark))


def test_segments_of_a_site_are_kept():
    message = parse(_MSH + "ZPI|1|绿色通道\rZPI|2\r")

    assert [(one.name, one.ordinal) for one in message.all("ZPI")] == [("ZPI", 1), ("ZPI", 2)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("PID|1\r", "MSH"),
        ("", "MSH"),
        ("MSH", "MSH^1^2"),
        ("MSH|^^\\&|", "MSH^1^2"),
        (_MSH + "NTE|1||one\rtwo\r", "NTE^1"),
        (_MSH + "PID^1\r", "MSH^1"),
        ("FHS|^~\\&\r" + _MSH, "MSH"),
    ],
)
def test_what_is_no_message_is_a_fault_that_says_where(text, place):
    with pytest.raises(ContentFault) as caught:
        parse(text)

    assert str(caught.value.location).startswith(place)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))),
    st.sampled_from(["\r", "\n", "\r\n"]),
)
def test_untouched_message_is_written_as_it_was_read(fields, end):
    text = _MSH.replace("\r", end) + "ZZZ|" + "|".join(fields) + end + end

    assert encode(parse(text)) == text


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("a\\T\\b\\S\\c\\F\\d\\R\\e\\E\\f", "a&b^c|d~e\\f"),
        ("one\\.br\\two\\.sp2\\three", "one\ntwo\n\nthree"),
        ("\\X41\\\\XE5BCA0\\", "A张"),
        ("\\H\\bold\\N\\ \\.in+4\\text", "bold text"),
        ("a\\.sk3\\b", "a   b"),
        ("\\Zlocal\\ kept", "\\Zlocal\\ kept"),
        ("\\XFF\\", "\\XFF\\"),
        ("unfinished\\", "unfinished\\"),
        ("\\.sp9999999999999999\\", "\\.sp9999999999999999\\"),
    ],
)
def test_escape_becomes_text(raw, plain):
    assert unescape(raw, _USUAL) == plain


def test_repeated_breaks_are_capped():
    assert unescape("\\.sp999\\", _USUAL) == "\n" * 64


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_unescape_inverts_escape(text):
    assert unescape(escape(text, _USUAL), _USUAL) == text


def test_control_characters_do_not_reach_text():
    assert _field("a\x00b\x1cc").text() == "abc"
