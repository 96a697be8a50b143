"""`fhir-hub validate` and `fhir-hub package`."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fhir_server.__main__ import main

PATIENT = {"resourceType": "Patient", "gender": "male"}
PROFILE = {
    "resourceType": "StructureDefinition",
    "url": "http://x/born",
    "type": "Patient",
    "derivation": "constraint",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "differential": {"element": [{"path": "Patient.birthDate", "min": 1}]},
}


def written(folder: Path, name: str, resource: Any) -> str:
    path = folder / name
    path.write_text(json.dumps(resource))
    return str(path)


@pytest.fixture
def packages(tmp_path: Path) -> str:
    """A folder with a package, added by the command."""
    path = tmp_path / "given.tgz"
    files = {"package.json": {"name": "org.example", "version": "1.0.0"}, "born.json": PROFILE}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    folder = str(tmp_path / "packages")
    assert main(["package", "--packages", folder, "add", str(path)]) == 0
    return folder


def test_valid_resource(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "p.json", PATIENT)

    assert main(["validate", file]) == 0
    assert capsys.readouterr().out == f"{file}: valid\n"


def test_issues_are_told_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "p.json", PATIENT | {"gender": "m"})

    assert main(["validate", file]) == 1
    assert f"{file}: error Patient.gender " in capsys.readouterr().out


def test_lines_are_told_by_their_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "all.ndjson"
    path.write_text(json.dumps(PATIENT) + "\n\nnot json\n")

    assert main(["validate", str(path)]) == 1
    assert [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"{path}:1",
        f"{path}:3",
    ]


def test_profile_of_a_package(
    tmp_path: Path, packages: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "p.json", PATIENT)
    asked = ["validate", "--packages", packages, "--profile", "http://x/born", file]

    assert main(asked) == 1
    assert "http://x/born" in capsys.readouterr().out


def test_packages_are_listed_and_removed(packages: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    main(["package", "--packages", packages, "list"])
    main(["package", "--packages", packages, "remove", "org.example"])

    assert capsys.readouterr().out == "org.example#1.0.0\nremoved org.example#1.0.0\n"


def test_what_is_no_package_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "p.tgz", PATIENT)

    assert main(["package", "--packages", str(tmp_path / "kept"), "add", file]) == 1
    assert "is not a gzipped tar archive" in capsys.readouterr().err
