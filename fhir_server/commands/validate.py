"""`fhir-hub validate`: check files against R4 and profiles; exit 1 if one is not valid."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from conformance import definitions
from conformance.issues import Issue
from conformance.packages import Packages
from conformance.validator import Validator
from fhir_server import fhirjson
from fhir_server.errors import HubError
from fhir_server.settings import load


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("validate", help="validate resources", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".json or .ndjson")
    parser.add_argument("--profile", action="append", default=[], metavar="URL")
    parser.add_argument("--packages", help="folder of packages", metavar="FOLDER")
    parser.add_argument("--level", choices=("structure", "full"), default="full")
    parser.add_argument("--no-warnings", dest="warnings", action="store_false")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Validate each file and print its issues."""
    packages = Packages(Path(load(packages=args.packages).packages))
    validator = Validator(
        definitions.load(), args.level, warnings=args.warnings, packages=packages.resources()
    )
    wrong = 0
    for name, text in _texts(args.files):
        issues = _issues(validator, text, args.profile)
        wrong += any(issue.severity in ("error", "fatal") for issue in issues)
        for issue in issues:
            print(f"{name}: {issue.severity} {issue.expression} {issue.diagnostics}")
        if not issues:
            print(f"{name}: valid")
    return 1 if wrong else 0


def _texts(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Each resource as text, with the name to tell it by."""
    for path in files:
        if path.suffix != ".ndjson":
            yield str(path), path.read_bytes()
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line.strip():
                yield f"{path}:{number}", line


def _issues(validator: Validator, text: bytes, profiles: list[str]) -> list[Issue]:
    try:
        resource = fhirjson.decode(text)
    except HubError as error:
        return [*error.issues]
    return validator.validate(resource, profiles=profiles)
