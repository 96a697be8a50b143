"""Every resource of the city is valid R4, as it is and as it comes back from JSON."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from conformance.definitions import load
from conformance.validator import Validator
from fhir_server.demo.city import build


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(load(), warnings=False)


def test_every_resource_is_valid(validator, resources):
    found = [(entry["id"], issue) for entry in resources for issue in validator.validate(entry)]

    assert found == []


def test_every_resource_is_valid_after_json(validator):
    encoder = msgspec.json.Encoder(decimal_format="number")
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    sent = [encoder.encode(entry.resource) for entry in build(10)]
    found = [issue for body in sent for issue in validator.validate(decoder.decode(body))]

    assert found == []
    assert [encoder.encode(decoder.decode(body)) for body in sent] == sent


def test_every_number_with_a_point_is_a_decimal(resources):
    """As those of a body that came by the wire: search makes no entries of floats."""
    assert [entry["id"] for entry in resources if any(_floats(entry))] == []


def _floats(value: object) -> Iterator[float]:
    match value:
        case float():
            yield value
        case dict():
            for part in value.values():
                yield from _floats(part)
        case list():
            for part in value:
                yield from _floats(part)
