"""`fhir-hub fhirpath`."""

import json
from pathlib import Path

import pytest

from fhir_server.__main__ import main

OBSERVATION = """{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
"valueQuantity": {"value": 1.50, "unit": "mg"}}"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "observation.json"
    path.write_text(OBSERVATION)
    return str(path)


def test_results_are_json_lines_with_their_types(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fhirpath", "status | value | now()", file]) == 0

    status, value, now = capsys.readouterr().out.splitlines()
    assert json.loads(status) == {"type": "code", "value": "final"}
    assert value == '{"type":"Quantity","value":{"value":1.50,"unit":"mg"}}'
    assert json.loads(now)["type"] == "dateTime"


def test_nothing_found_prints_nothing(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "note", file]) == 0

    assert capsys.readouterr().out == ""


def test_error_points_at_its_place(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "code.foo", file]) == 1

    message, expression, mark = capsys.readouterr().err.splitlines()
    assert "CodeableConcept has no element 'foo'" in message
    assert expression.index("foo") == mark.index("^")
    assert expression == "  code.foo"


def test_trace_goes_to_standard_error(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "code.trace('seen', text).text", file]) == 0

    assert capsys.readouterr().err == 'seen: "x"\n'


@pytest.mark.parametrize("body", ["[]", "{}", '{"resourceType": 1}', "{"])
def test_what_is_no_resource_is_refused(
    tmp_path: Path, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_text(body)

    assert main(["fhirpath", "id", str(path)]) == 1
    assert "fhir-hub fhirpath: " in capsys.readouterr().err


def test_strict_refuses_another_type(file: str) -> None:
    assert main(["fhirpath", "Patient.name", file]) == 0
    assert main(["fhirpath", "Patient.name", file, "--strict"]) == 1
