"""Bodies that parsers read differently. https://www.rfc-editor.org/rfc/rfc8259#section-4"""

import pytest

from fhir_server.errors import BadRequest
from fhir_server.web.fhir.strict import check


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'[{"a":{"b":1,"b":1}}]',
        b'{"a":"\\u0000"}',
        b'{"a":"\xff"}',
        b'{"a":1',
        b"",
        b'{"a":1}{}',
        b"[" * 101 + b"]" * 101,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b"[" * 100_000,
    ],
)
def test_it_is_refused(body):
    with pytest.raises(BadRequest):
        check(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"b":{"a":1}}',
        b'{"a":"\\\\u0000"}',
        b"[" * 100 + b"]" * 100,
        b"[" + b",".join([b"{}"] * 500) + b"]",
        b'{"n":1' + b"0" * 5000 + b"}",
        '{"a":"王"}'.encode(),
    ],
)
def test_it_is_taken(body):
    check(body)
