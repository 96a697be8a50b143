"""Whatever comes, it is a message, or a fault that says what is wrong: never another exception."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2.ack import acknowledge
from adapters.hl7v2.convert import convert
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.message import parse
from adapters.hl7v2.opening import open_message
from adapters.hl7v2.show import show
from adapters.hl7v2.source import Authority, Source

GOLDEN = Path(__file__).parents[3] / "golden" / "hl7v2"
_SOURCE = Source("h1", "H1", "h1", Authority("H1", "urn:oid:1.2.3.1"))
_NOW = datetime(2025, 4, 1, tzinfo=UTC)
_RAW = st.sampled_from([path.read_bytes() for path in sorted(GOLDEN.glob("*.hl7"))])
_MARKS = [b"", b"|", b"^", b"&", b"~", b"\\", b'""', b"\r", b"\n", b"\x00", b"\x1c", b"\xff", b" "]
_TEXTS = [b"0", b"-", b"\\X\\", b"99999999999", b"1e9999", "张".encode(), "東".encode("gb18030")]
_PIECES = st.sampled_from([*_MARKS, *_TEXTS])


@st.composite
def _mutated(draw):
    raw = draw(_RAW)
    for _ in range(draw(st.integers(1, 8))):
        at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 6))
        raw = raw[:at] + draw(_PIECES) + raw[at + length :]
    return raw


def _ids(kind, system, value):
    return f"{kind}-{abs(hash((system, value)))}"


@settings(max_examples=400)
@given(st.one_of(_mutated(), st.binary(max_size=60)))
def test_what_is_mapped_is_valid_and_the_rest_is_a_fault(validator, raw):
    try:
        bundle = convert(raw, _SOURCE, _ids, _NOW)
    except ContentFault:
        return
    assert [issue.expression for issue in validator.validate(bundle)] == []


@given(st.one_of(_mutated(), st.binary(max_size=60)))
def test_every_frame_can_be_answered(raw):
    opened = open_message(raw, (_SOURCE,))

    text = acknowledge(opened.header, "AR", control_id="1", time=_NOW, fault=opened.fault)
    answer = parse(text.encode(opened.codec, "replace").decode(opened.codec))
    assert [segment.name for segment in answer.segments][:2] == ["MSH", "MSA"]


@given(_mutated())
def test_what_is_a_message_can_be_shown(raw):
    try:
        shown = show(raw)
    except ContentFault:
        return
    assert shown.isprintable() or set(shown) >= {"\n"}
