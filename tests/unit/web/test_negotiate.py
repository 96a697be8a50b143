"""https://hl7.org/fhir/R4/http.html#mime-type"""

import gzip

import pytest

from fhir_server.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedMedia
from fhir_server.web.fhir import body, negotiate


@pytest.mark.parametrize(
    "header",
    [
        "",
        "*/*",
        "application/fhir+json",
        "application/json;charset=utf-8",
        "text/html,application/xml;q=0.9,*/*;q=0.8",
        "application/fhir+json; fhirVersion=4.0",
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


def test_gzip_is_unpacked_within_the_limit():
    assert body.unpack(gzip.compress(b"x" * 100), 100) == b"x" * 100


def test_a_bomb_is_too_large():
    with pytest.raises(TooLarge):
        body.unpack(gzip.compress(b"0" * 10_000_000), 1000)


@pytest.mark.parametrize(
    "packed",
    [b"", b"no gzip", gzip.compress(b"a", mtime=0)[:-3], gzip.compress(b"a", mtime=0) + b"x"],
)
def test_broken_gzip_is_a_bad_request(packed):
    with pytest.raises(BadRequest):
        body.unpack(packed, 1000)
