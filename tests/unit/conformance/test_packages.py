"""Packages on disk. https://hl7.org/fhir/R4/packages.html"""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from conformance import packages
from conformance.packages import PackageError, Packages, read, resources

Json = dict[str, Any]

MANIFEST = {"name": "org.example.one", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
VALUE_SET = {"resourceType": "ValueSet", "url": "http://x/vs", "status": "active"}


def made(
    folder: Path, manifest: Json, files: dict[str, Any], kind: bytes = tarfile.REGTYPE
) -> Path:
    """A package with a manifest and files."""
    path = folder / f"{len(list(folder.iterdir()))}.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"package/package.json": manifest, **files}.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.type = kind if name in files else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Packages:
    return Packages(tmp_path / "kept")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


def test_package_is_kept_listed_and_removed(kept: Packages, folder: Path) -> None:
    kept.add(made(folder, MANIFEST, {"package/vs.json": VALUE_SET}))
    listed = [(each.name, each.version) for each in kept.all()]
    content = kept.resources()
    gone = kept.remove("org.example.one", "1.0.0")

    assert listed == [("org.example.one", "1.0.0")]
    assert content == [VALUE_SET]
    assert [each.name for each in gone] == ["org.example.one"]
    assert kept.all() == []


def test_dependencies_come_first(kept: Packages, folder: Path) -> None:
    later = {"name": "aaa", "version": "2", "dependencies": {"zzz": "1.0.x"}}
    kept.add(made(folder, later, {"package/a.json": {**VALUE_SET, "url": "http://a"}}))
    for version in ("1.0.2", "1.0.10"):
        content = {"package/z.json": {**VALUE_SET, "url": f"http://z/{version}"}}
        kept.add(made(folder, {"name": "zzz", "version": version}, content))

    assert [each["url"] for each in kept.resources()] == [
        "http://z/1.0.10",
        "http://a",
        "http://z/1.0.2",
    ]
    assert kept.missing() == []


def test_missing_dependency_is_told(kept: Packages, folder: Path) -> None:
    needs = {**MANIFEST, "dependencies": {"hl7.fhir.r4.core": "4.0.1", "other": "1.0.0"}}
    package = kept.add(made(folder, needs, {}))

    assert kept.missing() == [(package, "other", "1.0.0")]


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "/etc/evil.json", "package/../evil.json", "package/a/b.json", "evil.json"],
)
def test_other_places_in_an_archive_are_not_read(folder: Path, name: str) -> None:
    assert resources(made(folder, MANIFEST, {name: VALUE_SET})) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_not_read(folder: Path, kind: bytes) -> None:
    path = made(folder, MANIFEST, {"package/vs.json": VALUE_SET}, kind)

    try:
        found = resources(path)
    except PackageError:
        found = []

    assert found == []


def test_bomb_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(folder, MANIFEST, {"package/big.json": b" " * 100_000})
    monkeypatch.setattr(packages, "LARGEST_PACKAGE", 50_000)

    with pytest.raises(PackageError, match="larger"):
        resources(path)


@pytest.mark.parametrize(
    "manifest",
    [
        {"version": "1.0.0"},
        {"name": "../../x", "version": "1.0.0"},
        {"name": "x", "version": "../1"},
        {"name": "x", "version": "1", "fhirVersions": ["5.0.0"]},
        [],
    ],
)
def test_package_must_name_itself(folder: Path, manifest: Any) -> None:
    with pytest.raises(PackageError):
        read(made(folder, manifest, {}))


def test_what_is_no_archive_is_refused(folder: Path) -> None:
    path = folder / "x.tgz"
    path.write_bytes(b"not an archive")

    with pytest.raises(PackageError):
        read(path)
