"""`fhir-hub bench`: measure a hub of one's own: what each thing costs the server."""

import argparse
import json
import sys

from fhir_server.bench.cases import CASES, measure


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("bench", help="measure a hub", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)} (all)")
    parser.add_argument("--patients", type=int, default=100, help="size of the demo city (100)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each case (5)")
    parser.add_argument("--store", default="", help="an empty store (a file of its own)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print a table."""
    if unknown := set(args.cases) - set(CASES):
        raise ValueError(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    figures = measure(
        args.cases or list(CASES), args.patients, args.seconds, sys.stderr, args.store
    )
    if args.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2))
    else:
        for figure in figures:
            print(figure)
    return 1 if any(figure.failed for figure in figures) else 0
