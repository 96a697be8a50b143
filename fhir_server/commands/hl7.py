"""`fhir-hub hl7`: send messages, show them, or print what they would become."""

import argparse
import socket
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from adapters.hl7v2.charset import decode
from adapters.hl7v2.convert import preview
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.header import read_header
from adapters.hl7v2.message import parse
from adapters.hl7v2.opening import source_of
from adapters.hl7v2.show import show
from adapters.transport.mllp import Decoder, Frame, encode
from fhir_server import fhirjson
from fhir_server.commands.progress import progress
from fhir_server.demo.sources import SOURCES
from fhir_server.identity.ids import keyed_id

SECONDS = 30
PREVIEW_KEY = b"ids of a preview, not of a hub"


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


def send(address: str, message: bytes) -> bytes:
    """Send one message over a connection of its own and return the answer. Raises OSError."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise ValueError(f"{address!r} is no address; expected HOST:PORT")
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        connection.sendall(encode(message))
        decoder = Decoder()
        while data := connection.recv(65536):
            for event in decoder.feed(data):
                if isinstance(event, Frame):
                    return event.content
    raise ConnectionError(f"{address} closed the connection without an answer")


def messages(raw: bytes) -> list[bytes]:
    """Return the messages of a file, each of which begins with MSH, with CR between segments."""
    text = raw.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    starts = [
        at
        for at in range(len(text))
        if text.startswith(b"MSH", at) and (at == 0 or text[at - 1] == 13)
    ]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def _send(args: argparse.Namespace) -> int:
    refused = 0
    waiting = [message for path in args.files for message in messages(path.read_bytes())]
    for message in progress(waiting, "messages", len(waiting)):
        answer = decode(send(args.to, message)).text
        refused += "\rMSA|AA" not in answer
        print(answer.replace("\r", "\n").rstrip())
    return 1 if refused else 0


def _show(args: argparse.Namespace) -> int:
    for message in messages(args.file.read_bytes()):
        print(show(message))
    return 0


def _convert(args: argparse.Namespace) -> int:
    refused = 0
    for message in messages(args.file.read_bytes()):
        header = read_header(parse(decode(message).text))
        source = source_of(header, SOURCES) or SOURCES[0]
        ids = partial(keyed_id, PREVIEW_KEY)
        bundle, fault = preview(message, source, ids, datetime.now(UTC))
        print(fhirjson.pretty(fhirjson.encode(bundle)).decode())
        if fault is not None:
            refused += 1
            print(f"fhir-hub hl7 convert: the hub would refuse this: {fault}", file=sys.stderr)
    return 1 if refused else 0
