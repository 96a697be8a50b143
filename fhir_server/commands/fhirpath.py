"""`fhir-hub fhirpath`: evaluate a FHIRPath expression on a resource in a JSON file.

Prints one JSON object a line for each result, with its type and value.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from conformance.definitions import load
from conformance.fhirpath import FHIRPathError, Services, compile
from fhir_server import fhirjson


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("fhirpath", help="evaluate FHIRPath", description=__doc__)
    parser.add_argument("expression", metavar="EXPRESSION")
    parser.add_argument("file", metavar="FILE", help="a resource as JSON; - for standard input")
    parser.add_argument(
        "--strict", action="store_true", help="an error for what only R4's own definitions need"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; return 1 for an expression that is wrong or cannot be evaluated."""
    resource = read(args.file)
    try:
        expression = compile(args.expression, load(), resource["resourceType"], strict=args.strict)
        found = expression(
            resource, now=datetime.now().astimezone(), services=Services(trace=show_trace)
        )
    except FHIRPathError as error:
        point_at(args.expression, error)
        return 1
    for type_name, value in found:
        print(fhirjson.encode({"type": type_name, "value": value}).decode())
    return 0


def read(name: str) -> dict[str, Any]:
    """The resource in a file; raises HubError or ValueError where there is none."""
    body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    resource = fhirjson.decode(body)
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise ValueError(f"{name} is no resource: found no resourceType")
    return resource


def show_trace(name: str, values: list[tuple[str, Any]]) -> None:
    """Print what `trace()` logs."""
    for _, value in values:
        print(f"{name}: {fhirjson.encode(value).decode()}", file=sys.stderr)


def point_at(expression: str, error: FHIRPathError) -> None:
    """Print an error, and where it is known, the expression with a mark at the place."""
    print(f"fhir-hub fhirpath: {error}", file=sys.stderr)
    if error.at is not None and "\n" not in expression:
        print(f"  {expression}\n  {' ' * error.at}^", file=sys.stderr)
