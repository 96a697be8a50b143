"""`fhir-hub hl7`: send messages, show them, or print what they would become."""

import argparse
import re
import sys
from codecs import BOM_UTF8
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from adapters.hl7v2.charset import decode
from adapters.hl7v2.convert import preview
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.header import read_header
from adapters.hl7v2.message import parse
from adapters.hl7v2.opening import source_of
from adapters.hl7v2.show import show
from adapters.transport.client import exchange, read_address
from fhir_server import fhirjson
from fhir_server.commands.progress import progress
from fhir_server.demo.sources import SOURCES
from fhir_server.identity.ids import keyed_id

PREVIEW_KEY = b"ids of a preview, not of a hub"
_LINE_END = re.compile(rb"\r\n|[\n\x0b\x1c]")
_BEGINNING = re.compile(rb"(?:^|(?<=\r))MSH")


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("hl7", help="HL7 v2 messages", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    sending = actions.add_parser("send", help="send messages over MLLP and print the answers")
    sending.add_argument("files", nargs="+", type=Path, metavar="FILE")
    sending.add_argument("--to", required=True, metavar="HOST:PORT")
    sending.set_defaults(act=_send)
    for name, words, act in (
        ("convert", "print the transaction Bundle that a message would become", _convert),
        ("show", "print a message field by field", _show),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("file", type=Path, metavar="FILE")
        action.set_defaults(act=act)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the action; a message that cannot be read is told in words."""
    try:
        return int(args.act(args))
    except ContentFault as fault:
        print(f"fhir-hub hl7 {args.action}: {fault}", file=sys.stderr)
        return 1


def messages(path: Path) -> list[bytes]:
    """Return the messages of a file, with or without their MLLP frames, CR between segments.

    Raises ValueError where no line begins with MSH.
    """
    text = _LINE_END.sub(b"\r", path.read_bytes().removeprefix(BOM_UTF8))
    starts = [found.start() for found in _BEGINNING.finditer(text)]
    if not starts:
        raise ValueError(f"{path} holds no message: no line of it begins with MSH")
    return [text[a:b].rstrip(b"\r") + b"\r" for a, b in pairwise([*starts, len(text)])]


def _send(args: argparse.Namespace) -> int:
    refused = 0
    read_address(args.to)
    waiting = [message for path in args.files for message in messages(path)]
    for message in progress(waiting, "messages", len(waiting)):
        answer = decode(exchange(args.to, message)).text
        refused += "\rMSA|AA" not in answer
        print(answer.replace("\r", "\n").rstrip())
    return 1 if refused else 0


def _show(args: argparse.Namespace) -> int:
    for message in messages(args.file):
        print(show(message))
    return 0


def _convert(args: argparse.Namespace) -> int:
    refused = 0
    for message in messages(args.file):
        header = read_header(parse(decode(message).text))
        source = source_of(header, SOURCES) or SOURCES[0]
        ids = partial(keyed_id, PREVIEW_KEY)
        bundle, fault = preview(message, source, ids, datetime.now(UTC))
        print(fhirjson.pretty(fhirjson.encode(bundle)).decode())
        if fault is not None:
            refused += 1
            print(f"fhir-hub hl7 convert: the hub would refuse this: {fault}", file=sys.stderr)
    return 1 if refused else 0
