"""Primitive values. https://hl7.org/fhir/R4/datatypes.html#primitive"""

from decimal import Decimal
from typing import Any

import pytest

from conformance.definitions import Definitions
from conformance.validation.faults import Check
from conformance.validation.primitives import primitive_checks


@pytest.fixture(scope="module")
def checks(definitions: Definitions) -> dict[str, Check]:
    return primitive_checks(definitions.types)


RIGHT: list[tuple[str, Any]] = [
    ("boolean", True),
    ("integer", -2147483648),
    ("unsignedInt", 0),
    ("positiveInt", 2147483647),
    ("decimal", 1),
    ("decimal", Decimal("-1.50E+2")),
    ("string", " 全角　スペース\n"),
    ("string", "a b"),
    ("markdown", "# a\n\n* b"),
    ("code", "in progress"),
    ("id", "A-1.b"),
    ("uri", "urn:oid:1.2"),
    ("url", "http://x/y?z"),
    ("canonical", "http://x/y|1#z"),
    ("oid", "urn:oid:2.16.840"),
    ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ("date", "2020"),
    ("date", "2020-02"),
    ("date", "2020-02-29"),
    ("dateTime", "2020-02-29T23:59:60.123+14:00"),
    ("dateTime", "2020"),
    ("instant", "2020-02-29T00:00:00Z"),
    ("time", "23:59:59.1"),
    ("base64Binary", "aGVs bG8="),
]

WRONG: list[tuple[str, Any, str]] = [
    ("boolean", "true", "structure"),
    ("boolean", 1, "structure"),
    ("integer", True, "structure"),
    ("integer", "1", "structure"),
    ("integer", Decimal("1.0"), "value"),
    ("integer", 2147483648, "value"),
    ("unsignedInt", -1, "value"),
    ("positiveInt", 0, "value"),
    ("decimal", "1.0", "structure"),
    ("decimal", False, "structure"),
    ("string", 1, "structure"),
    ("string", None, "structure"),
    ("string", "", "value"),
    ("string", "a" * (1024 * 1024 + 1), "too-long"),
    ("code", " a", "value"),
    ("code", "a  b", "value"),
    ("id", "a_b", "value"),
    ("id", "a" * 65, "value"),
    ("id", "a\n", "value"),
    ("uri", "http://a b", "value"),
    ("uri", "", "value"),
    ("oid", "urn:oid:3.1", "value"),
    ("uuid", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "value"),
    ("date", "2023-02-30", "value"),
    ("date", "1900-02-29", "value"),
    ("date", "2020-13", "value"),
    ("date", "2020-1-1", "value"),
    ("date", "0000-01-01", "value"),
    ("date", "２０２０", "value"),
    ("dateTime", "2020-01-01T10:00", "value"),
    ("dateTime", "2020-01-01T10:00:00", "value"),
    ("dateTime", "2020-04-31T10:00:00Z", "value"),
    ("dateTime", "2020-01-01T24:00:00Z", "value"),
    ("instant", "2020-01-01", "value"),
    ("time", "24:00:00", "value"),
    ("base64Binary", "aGVsbG8", "value"),
    ("base64Binary", "a=Vs", "value"),
    ("base64Binary", "", "value"),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_right_values_pass(checks: dict[str, Check], name: str, value: Any) -> None:
    assert checks[name](value) is None


@pytest.mark.parametrize(("name", "value", "code"), WRONG)
def test_wrong_values_are_faults(
    checks: dict[str, Check], name: str, value: Any, code: str
) -> None:
    [found] = checks[name](value) or []

    assert found.code == code
    assert "found" in found.text
    assert "expected" in found.text


def test_base64_takes_linear_time(checks: dict[str, Check]) -> None:
    """The published expression backtracks exponentially: this would not end."""
    assert checks["base64Binary"]("AAAA  " * 10_000 + "!")
