"""The rules at the top of adapters/transport/mllp.py, one by one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.transport.mllp import Decoder, Frame, Garbage, TooLarge, encode

_STREAM = st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"MSH|", b"a", b"\n", b"\x1c\r"])).map(
    b"".join
)


def _decode(*reads: bytes, max_frame: int = 1000) -> list[object]:
    decoder = Decoder(max_frame=max_frame)
    events = [event for read in reads for event in decoder.feed(read)]
    return [*events, *decoder.close()]


def test_frame_is_delivered_without_its_framing():
    assert _decode(b"\x0bMSH|a\r\x1c\r") == [Frame(b"MSH|a\r")]


def test_frames_of_one_read_are_delivered_in_order():
    assert _decode(b"\x0bone\x1c\r\x0btwo\x1c\r") == [Frame(b"one"), Frame(b"two")]


def test_bytes_between_frames_are_reported():
    expected = [Frame(b"one"), Garbage(b"\nnoise", "outside a frame"), Frame(b"two")]

    assert _decode(b"\x0bone\x1c\r\nnoise\x0btwo\x1c\r") == expected


def test_long_garbage_is_reported_in_pieces():
    sizes = [len(event.content) for event in _decode(b"x" * 5000)]

    assert sizes == [4096, 904]


def test_framing_applied_twice_still_delivers_the_content():
    expected = [Frame(b"one", nested=1), Garbage(b"\x1c\r", "outside a frame")]

    assert _decode(b"\x0b\x0bone\x1c\r\x1c\r") == expected


def test_frame_that_never_ended_is_reported_when_the_next_begins():
    assert _decode(b"\x0bhalf\x0bwhole\x1c\r") == [
        Garbage(b"half", "unfinished frame"),
        Frame(b"whole"),
    ]


def test_frame_cut_off_by_the_end_of_the_stream_is_reported():
    assert _decode(b"\x0bhalf\x1c") == [Garbage(b"half\x1c", "unfinished frame")]


def test_separator_without_return_is_content():
    assert _decode(b"\x0ba\x1cb\x1c\r") == [Frame(b"a\x1cb")]


def test_separator_before_the_next_start_ends_the_frame():
    assert _decode(b"\x0ba\x1c\x0bb\x1c\r") == [Frame(b"a"), Frame(b"b")]


def test_empty_frame_is_garbage():
    assert _decode(b"\x0b\x1c\r") == [Garbage(b"", "empty frame")]


def test_frame_of_exactly_the_limit_is_delivered():
    assert _decode(b"\x0b12345\x1c\r", max_frame=5) == [Frame(b"12345")]


@pytest.mark.parametrize("content", [b"123456", b"12345\x1c6"])
def test_frame_beyond_the_limit_ends_the_stream(content):
    stream = b"\x0b" + content + b"\x1c\r\x0bok\x1c\r"

    assert _decode(stream, max_frame=5) == [TooLarge(5)]


@pytest.mark.parametrize("content", [b"a\x0bb", b"a\x1c\rb", b"a\x1c"])
def test_encode_refuses_content_that_breaks_its_frame(content):
    with pytest.raises(ValueError, match="must not hold"):
        encode(content)


@given(_STREAM, st.lists(st.integers(0, 60)), st.integers(1, 12))
def test_any_split_gives_the_same_events(stream, cuts, max_frame):
    bounds = [0, *sorted(cuts), len(stream)]
    reads = [stream[a:b] for a, b in pairwise(bounds)]

    assert _decode(*reads, max_frame=max_frame) == _decode(stream, max_frame=max_frame)


@given(_STREAM)
def test_no_byte_is_lost(stream):
    events = _decode(stream)

    kept = sum(len(event.content) for event in events)
    framing = sum(stream.count(byte) for byte in (b"\x0b", b"\x1c\r")) * 2
    assert len(stream) - framing <= kept <= len(stream)


@given(st.lists(st.binary(min_size=1).filter(lambda b: not {0x0B, 0x1C} & set(b))))
def test_decode_inverts_encode(contents):
    stream = b"".join(encode(content) for content in contents)

    assert _decode(stream) == [Frame(content) for content in contents]
