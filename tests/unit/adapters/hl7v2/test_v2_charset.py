"""The rules at the top of adapters/hl7v2/charset.py."""

import pytest

from adapters.hl7v2.charset import Decoded, decode
from adapters.hl7v2.faults import DATA_TYPE, TABLE_VALUE, ContentFault

_HEADER = (
    "MSH|^~\\&|HIS|市一医院|HUB||20250101||ADT^A01|1|P|2.5|||||CHN|{}\rPID|1||7||東方^倈昞淺\r"
)


@pytest.mark.parametrize(
    "name", ["GB 18030-2000", "gbk", "GB2312", "UNICODE", "UNICODE UTF-8", "BIG-5"]
)
def test_declared_charset_decides(name):
    codec = {"U": "utf-8", "B": "big5"}.get(name[0], "gb18030")
    text = _HEADER.format(name).replace("市一医院", "市一").replace("倈昞", "")

    decoded = decode(text.encode(codec), default="ASCII")

    assert decoded == Decoded(text, codec, "declared")


def test_source_default_decides_where_the_message_is_silent():
    raw = _HEADER.format("").encode("gb18030")

    assert decode(raw, default="GBK").rule == "default"


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_blank_charset_is_found_out(codec):
    text = _HEADER.format("")

    assert decode(text.encode(codec)) == Decoded(text, codec, "guessed")


def test_bytes_that_do_not_fit_are_a_fault():
    with pytest.raises(ContentFault, match="MSH\\^1\\^18: byte 13") as caught:
        decode(_HEADER.format("ASCII").encode())

    assert caught.value.code == DATA_TYPE


def test_unknown_charset_is_a_fault():
    with pytest.raises(ContentFault, match="unknown character set 'EBCDIC'") as caught:
        decode(_HEADER.format("EBCDIC").encode())

    assert caught.value.code == TABLE_VALUE


def test_utf8_declared_as_gbk_is_doubted():
    raw = "MSH|^~\\&|||||||ADT^A01|1|P|2.5||||||GBK\rPID|||7||张三\r".encode()

    assert decode(raw).doubt


def test_byte_order_mark_is_no_part_of_the_message():
    assert decode(b"\xef\xbb\xbfMSH|^~\\&|").text == "MSH|^~\\&|"


@pytest.mark.parametrize("raw", [b"", b"MSH", b"MSH|", b"\r\n", b"\xff\xfe", b"PID|1"])
def test_what_is_no_message_is_still_text(raw):
    assert decode(raw, default="8859/1").codec == "iso8859-1"
