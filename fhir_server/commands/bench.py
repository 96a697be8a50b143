"""`fhir-hub bench`: measure a hub of one's own, or any FHIR R4 server, or two side by side."""

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

from fhir_server.bench.ask import Ask
from fhir_server.bench.cases import CASES, Case, chosen
from fhir_server.bench.figure import Column, Figure, table
from fhir_server.bench.hub import Hub
from fhir_server.bench.records import shared
from fhir_server.bench.started import Started
from fhir_server.bench.target import Target
from fhir_server.commands.population import CLINIC_USER, fill
from fhir_server.commands.store import positive


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("bench", help="measure servers", description=__doc__)
    groups = dict.fromkeys(case.group for case in CASES)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(groups)} (all)")
    parser.add_argument("--base", default="", metavar="URL", help="a server's FHIR base (own hub)")
    parser.add_argument("--against", default="", metavar="URL", help="another server's FHIR base")
    for side, whose in (("", "the server's"), ("against-", "the other one's")):
        parser.add_argument(f"--{side}token", default="", help=f"{whose} bearer token")
        parser.add_argument(f"--{side}pid", type=int, default=0, help=f"{whose} first process")
        parser.add_argument(f"--{side}data", type=Path, help=f"{whose} data: file or folder")
        parser.add_argument(f"--{side}start", default="", metavar="COMMAND", help="starts it first")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load (5)")
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="ingest these transactions")
    parser.add_argument(
        "--resources", type=positive, default=10_000, help="what is searched (10000)"
    )
    parser.add_argument(
        "--consenting",
        type=int,
        default=0,
        metavar="N",
        help="own hub: of N patients who are searched a clinic may read; its doctor searches too",
    )
    parser.add_argument("--patients", type=int, default=100, help="own hub: demo city's size (100)")
    parser.add_argument("--store", default="", help="own hub: an empty store (a file of its own)")
    parser.add_argument("--workers", type=positive, default=1, help="own hub: processes (1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure one server after the other and print a table of all."""
    cases = chosen(args.cases)
    ask = Ask(args.seconds, args.bundles, args.resources, args.consenting)
    sides = [_other(args, "") if args.base else _own(args)]
    if args.against:
        sides.append(_other(args, "against_"))
    columns: list[Column] = []
    for side in sides:
        with side as targets:
            columns += [(target.name, _measure(target, cases, ask)) for target in targets]
    print(_json(columns) if args.json else table(columns))
    return int(any(f.measure == "failed" and f.value for _, figures in columns for f in figures))


def _measure(target: Target, cases: Sequence[Case], ask: Ask) -> list[Figure]:
    figures: list[Figure] = []
    for case in cases:
        if case.group != "own" or target.mllp:
            print(f"{target.name}: {case.name} …", file=sys.stderr, flush=True)
            figures += case.measure(target, ask)
    return figures


@contextmanager
def _own(args: argparse.Namespace) -> Iterator[Sequence[Target]]:
    """Start a hub with the demo city in it, and what a folder's Bundles refer to.

    It is asked by a doctor of the hospital whose records they are, and by one of a clinic if any
    patients consent.
    """
    options = ("--workers", str(args.workers)) if args.workers > 1 else ()
    with Hub(*options, patients=args.patients, store=args.store) as hub:
        if any(case.name == "search" for case in chosen(args.cases)):
            fill(hub.store, args.resources, args.consenting)
        if args.bundles and (paths := shared(args.bundles)):
            hub.run("load", "--store", hub.store, *map(str, paths))
        own = Target(
            name="own hub",
            base=f"{hub.base}/fhir",
            token=hub.token("cardiologist"),
            data=None if args.store else hub.folder,
            mllp=hub.mllp,
            running=hub,
        )
        yield [own, *([_clinic(own, hub)] if args.consenting else ())]


def _clinic(own: Target, hub: Hub) -> Target:
    return replace(own, name="a clinic", token=hub.token(CLINIC_USER))


@contextmanager
def _other(args: argparse.Namespace, side: str) -> Iterator[Sequence[Target]]:
    """Take a server that runs, or start it by its command."""
    given = {name: getattr(args, f"{side}{name}") for name in ("token", "pid", "data")}
    base = (args.against if side else args.base).rstrip("/")
    command = getattr(args, f"{side}start")
    running = Started(command, base) if command else None
    try:
        yield [Target(name=urlsplit(base).netloc, base=base, running=running, **given)]
    finally:
        if running is not None:
            running.pause()


def _json(columns: Sequence[Column]) -> str:
    machine = {"processor": platform.machine(), "python": platform.python_version()}
    servers = [
        {"name": name, "figures": [asdict(figure) for figure in figures]}
        for name, figures in columns
    ]
    return json.dumps({"machine": machine, "servers": servers}, indent=2, ensure_ascii=False)
