"""`fhir-hub story`: play the story against a running hub, or against one in a temporary folder."""

import argparse
import sys

from fhir_server.bench.hub import Hub
from fhir_server.demo.stage import Address, play


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("story", help="play the story", description=__doc__)
    parser.add_argument("--hub", metavar="URL", help="a running hub with the demo city in it")
    parser.add_argument("--mllp", metavar="HOST:PORT", default="127.0.0.1:2575")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play; return 1 at the first step that does not do what it says."""
    if args.hub:
        return play(Address(args.hub, args.mllp), args.lang, sys.stdout)
    with Hub(patients=5) as hub:
        return play(Address(hub.base, hub.mllp), args.lang, sys.stdout)
