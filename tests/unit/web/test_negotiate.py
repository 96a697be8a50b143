"""https://hl7.org/fhir/R4/http.html#mime-type"""

import tracemalloc

import pytest
import zstandard

from fhir_server.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedMedia
from fhir_server.web.fhir import negotiate, packing


@pytest.mark.parametrize(
    "header",
    [
        "",
        "*/*",
        "application/fhir+json",
        "application/json;charset=utf-8",
        "text/html,application/xml;q=0.9,*/*;q=0.8",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml, application/fhir+json;q=0.1",
        "application/fhir+json;q=0, application/json",
        "text/json",
        "APPLICATION/FHIR+JSON",
        "application/*",
        "application/json+fhir",
    ],
)
def test_json_is_accepted(header):
    negotiate.accept(header)


@pytest.mark.parametrize(
    "header",
    [
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "application/fhir+json; fhirVersion=3.0",
        "application/fhir+json;q=0, */*",
        "*/*;q=0",
        "image/*",
        ";;,;",
    ],
)
def test_what_is_not_json_of_r4_is_not_acceptable(header):
    with pytest.raises(NotAcceptable):
        negotiate.accept(header)


@pytest.mark.parametrize("value", ["xml", "application/fhir+xml", "ttl", "html", ""])
def test_format_takes_json_alone(value):
    with pytest.raises(NotAcceptable):
        negotiate.accept_format(value)


def test_another_charset_is_not_supported():
    with pytest.raises(UnsupportedMedia):
        negotiate.media_type("application/fhir+json; charset=gb18030")


def test_another_version_is_not_supported():
    with pytest.raises(UnsupportedMedia):
        negotiate.media_type("application/fhir+json; fhirVersion=5.0")


@pytest.mark.parametrize(
    ("header", "media", "expected"),
    [
        ("*/*;q=0.1, text/*;q=0.5, text/html", "text/html", 1),
        ("*/*;q=0.1, text/*;q=0.5, text/html", "text/plain", 0.5),
        ("*/*;q=0.1, text/*;q=0.5, text/html", "image/png", 0.1),
        ("*/*, image/png;q=0", "image/png", 0),
        ("text/html", "image/png", 0),
    ],
)
def test_the_closest_range_decides(header, media, expected):
    """ "The media type quality factor … is determined by finding the media range with the highest
    precedence." https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1"""
    assert negotiate.weight(header, media) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, zstd", "zstd"),
        ("gzip, zstd;q=0.5", "gzip"),
        ("gzip;q=0, zstd;q=0", ""),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("zstd;q=0, *", "gzip"),
        ("br, identity", ""),
    ],
)
def test_codings(header, expected):
    assert negotiate.coding(header) == expected


CODINGS = pytest.mark.parametrize("coding", ["gzip", "zstd"])


@CODINGS
def test_what_is_packed_is_unpacked_within_the_limit(coding):
    packed = packing.pack(b"x" * 100_000, coding)

    assert packing.unpack(packed, coding, 100_000) == b"x" * 100_000


@CODINGS
@pytest.mark.parametrize("size", [1001, 10_000_000])
def test_a_bomb_is_too_large(coding, size):
    packed = packing.pack(b"0" * size, coding)

    with pytest.raises(TooLarge):
        packing.unpack(packed, coding, 1000)


def test_a_zstd_bomb_that_hides_its_size_is_too_large():
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    packed = packer.compress(b"0" * 50_000_000) + packer.flush()
    tracemalloc.start()

    with pytest.raises(TooLarge):
        packing.unpack(packed, "zstd", 1000)

    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()


@CODINGS
@pytest.mark.parametrize(
    "break_",
    [lambda b: b"", lambda b: b"none", lambda b: b[:-3], lambda b: b + b"x", lambda b: b + b],
)
def test_broken_packing_is_a_bad_request(coding, break_):
    packed = packing.pack(b"a", coding)

    with pytest.raises(BadRequest):
        packing.unpack(break_(packed), coding, 1000)


def test_another_coding_is_not_supported():
    with pytest.raises(UnsupportedMedia):
        packing.unpack(b"", "br", 1000)
