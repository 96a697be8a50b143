"""Each message in tests/golden/hl7v2 beside the Bundle that it becomes, byte for byte.

After a wanted change, delete the Bundle: the test writes it anew, fails, and the diff is reviewed.
"""

from pathlib import Path

import msgspec
import pytest

from adapters.hl7v2.convert import convert

GOLDEN = Path(__file__).parents[3] / "golden" / "hl7v2"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.hl7")), ids=lambda path: path.stem)
def test_message_becomes_its_bundle(path, source, ids, received):
    bundle = convert(path.read_bytes(), source, ids, received)

    text = msgspec.json.format(_ENCODER.encode(bundle), indent=2) + b"\n"
    expected = path.with_suffix(".fhir.json")
    if not expected.exists():
        expected.write_bytes(text)
        pytest.fail(f"{expected.name} is written: review it")
    assert text == expected.read_bytes()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.hl7")), ids=lambda path: path.stem)
def test_bundle_is_valid(path, source, ids, received, validator):
    bundle = convert(path.read_bytes(), source, ids, received)

    assert validator.validate(bundle) == []
