"""Packages: FHIR packages (.tgz) kept in a folder, with their dependencies.

https://hl7.org/fhir/R4/packages.html, https://confluence.hl7.org/display/FHIR/NPM+Package+Specification

1. A package is read, never unpacked: no path in it reaches the file system. Only regular files
   directly in `package/` count.
2. What is read is limited in members and bytes, so that a small archive cannot fill the memory.
3. A package names itself in `package.json`; it is kept as NAME#VERSION.tgz.
4. The packages that one depends on come before it. R4's own is always there.
"""

import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import error as ZlibError

import msgspec

Json = dict[str, Any]

MOST_MEMBERS = 50_000
LARGEST_MEMBER = 64 * 1024 * 1024
LARGEST_PACKAGE = 1024 * 1024 * 1024  # uncompressed

BUILT_IN = frozenset({"hl7.fhir.r4.core", "hl7.fhir.r4.expansions"})
WANTED = frozenset({"StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire"})

_NAME = re.compile(r"[a-z][a-z0-9\-]*(?:\.[a-z0-9\-]+)*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+\-_]*")
_MEMBER = re.compile(r"(?:\./)?package/([A-Za-z0-9][^/\\]*\.json)")

_DECODER = msgspec.json.Decoder(Json, float_hook=Decimal)


class PackageError(ValueError):
    """Says why a file is no package, or a package cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """What `package.json` says, and where the package is."""

    name: str
    version: str
    path: Path = field(compare=False)
    dependencies: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def is_built_in(self) -> bool:
        """Whether the hub carries its content itself."""
        return self.name in BUILT_IN


def read(path: Path) -> Package:
    """What a package says of itself. Raises PackageError, OSError."""
    for name, content in _members(path):
        if name == "package.json":
            return _package(path, content)
    raise PackageError(f"{path.name} has no package/package.json")


def resources(path: Path) -> list[Json]:
    """The profiles, extensions, value sets, code systems and questionnaires of a package.

    Numbers are int or Decimal. Raises PackageError, OSError.
    """
    found = []
    for name, content in _members(path):
        resource = _decode(name, content)
        if resource.get("resourceType") in WANTED:
            found.append(resource)
    return found


def _package(path: Path, content: bytes) -> Package:
    said = _decode("package.json", content)
    name, version = said.get("name"), said.get("version")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PackageError(f"{path.name}: found the name {name!r}, expected that of a package")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise PackageError(f"{path.name}: found the version {version!r}, expected one like 1.0.0")
    _expect_r4(path, said)
    needs = said.get("dependencies")
    pairs = needs.items() if isinstance(needs, dict) else ()
    return Package(name, version, path, tuple((str(one), str(other)) for one, other in pairs))


def _expect_r4(path: Path, said: Json) -> None:
    versions = said.get("fhirVersions") or said.get("fhir-version-list") or ["4.0.1"]
    if not any(str(each).startswith("4.0") for each in versions):
        raise PackageError(f"{path.name} is for FHIR {', '.join(map(str, versions))}, not for R4")


def _decode(name: str, content: bytes) -> Json:
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PackageError(f"{name} is not a JSON object: {error}") from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The JSON files directly in `package/`, one after another."""
    total = 0
    try:
        with tarfile.open(path, mode="r|gz") as archive:
            for count, member in enumerate(archive):
                total += member.size
                if count >= MOST_MEMBERS or total > LARGEST_PACKAGE:
                    raise PackageError(f"{path.name} is larger than a package may be")
                found = _MEMBER.fullmatch(member.name)
                if found is None or not member.isreg():
                    continue
                if member.size > LARGEST_MEMBER:
                    raise PackageError(f"{path.name}: {member.name} is larger than it may be")
                file = archive.extractfile(member)
                if file is not None:
                    yield found[1], file.read()
    except (tarfile.TarError, EOFError, ZlibError) as error:
        raise PackageError(f"{path.name} is not a gzipped tar archive: {error}") from error


class Packages:
    """The packages of one folder, which need not exist before the first is added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Package]:
        """The packages, by name and version. Raises PackageError for a broken one."""
        return sorted(read(path) for path in self._folder.glob("*.tgz"))

    def add(self, path: Path) -> Package:
        """Copy a package into the folder; all of it must be readable. Raises PackageError."""
        package = read(path)
        resources(path)
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / f"{package.name}#{package.version}.tgz"
        unfinished = target.with_suffix(".part")
        unfinished.write_bytes(path.read_bytes())
        os.replace(unfinished, target)
        return Package(package.name, package.version, target, package.dependencies)

    def remove(self, name: str, version: str = "") -> list[Package]:
        """Delete a package, in all its versions if none is given; what was deleted."""
        gone = [each for each in self.all() if each.name == name and version in ("", each.version)]
        for each in gone:
            each.path.unlink()
        return gone

    def missing(self) -> list[tuple[Package, str, str]]:
        """Dependencies that are not there: (package, name, version)."""
        there = self.all()
        return [
            (package, name, version)
            for package in there
            for name, version in package.dependencies
            if name not in BUILT_IN and not chosen(there, name, version)
        ]

    def resources(self) -> list[Json]:
        """The definitions of all packages, those that others depend on first."""
        there = self.all()
        done: dict[Package, None] = {}
        for package in there:
            _in_order(package, there, done, ())
        return [
            each for package in done if not package.is_built_in for each in resources(package.path)
        ]


def chosen(packages: list[Package], name: str, version: str) -> Package | None:
    """The package that a dependency means: `1.0.x` is the last 1.0; other versions are exact.

    >>> here = Path("p.tgz")
    >>> chosen([Package("a", "1.0.2", here), Package("a", "1.0.10", here)], "a", "1.0.x").version
    '1.0.10'
    """
    fitting = [each for each in packages if each.name == name and _fits(each.version, version)]
    return max(fitting, key=lambda each: _in_numbers(each.version), default=None)


def _fits(version: str, wanted: str) -> bool:
    if wanted in ("latest", "current", "dev", "*", ""):
        return True
    stem = re.sub(r"(?:\.[xX*])+$", "", wanted)
    return version == wanted or (stem != wanted and version.startswith(stem + "."))


def _in_numbers(version: str) -> list[tuple[int, str]]:
    parts = re.split(r"[.\-+_]", version)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _in_order(
    package: Package, there: list[Package], done: dict[Package, None], above: tuple[Package, ...]
) -> None:
    """Add a package after those that it depends on; a circle is broken where it closes."""
    if package in done or package in above:
        return
    for name, version in package.dependencies:
        if found := chosen(there, name, version):
            _in_order(found, there, done, (*above, package))
    done[package] = None
