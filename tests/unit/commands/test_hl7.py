"""`fhir-hub hl7`: messages are sent, shown, and converted without a store."""

import json
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.transport.mllp import Decoder, Frame, encode
from fhir_server.bench.hub import free_port

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
ADMISSION = EXAMPLES / "adt-a01.hl7"


@contextmanager
def receiver(code):
    """Answer every message with `code`; yield the address and what came in."""
    seen = []

    def answer(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                decoder = Decoder()
                while data := connection.recv(65536):
                    for event in decoder.feed(data):
                        assert isinstance(event, Frame)
                        seen.append(event.content)
                        connection.sendall(encode(b"MSH|^~\\&|HUB\rMSA|" + code + b"|1\r"))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_show_reads_a_message_to_a_person(run):
    """A message is shown field by field with HL7's names, in its own character set."""
    told = run("hl7", "show", EXAMPLES / "oru-r01.hl7")

    assert told.status == 0
    assert told.out.startswith("gb18030 (declared)\n")
    assert "PID-5   Patient Name                       林^秀英" in told.out


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.hl7")), ids=lambda path: path.stem)
def test_convert_prints_a_transaction(run, path):
    """The Bundle that a message would become is printed, no store touched."""
    told = run("hl7", "convert", path)

    made = json.loads(told.out)
    assert (told.status, told.err, made["type"]) == (0, "", "transaction")
    assert "Provenance" in {entry["resource"]["resourceType"] for entry in made["entry"]}


def test_convert_tells_what_the_hub_would_refuse(run, tmp_path):
    """A fault is told with its place, and the command fails."""
    text = ADMISSION.read_bytes().replace(b"|19600819|", b"|19601399|")
    (tmp_path / "x.hl7").write_bytes(text)

    told = run("hl7", "convert", tmp_path / "x.hl7")

    assert told.status == 1
    assert "PID^1^7: '19601399' is no time" in told.err


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: text.replace(b"\r", b"\r\n"),
        lambda text: text.replace(b"\r", b"\n").rstrip(),
        lambda text: b"\xef\xbb\xbf" + text,
        encode,
    ],
    ids=["cr", "crlf", "lf", "bom", "framed"],
)
def test_send_sends_each_message_of_a_file(run, tmp_path, wrap):
    """However the file ends its lines, two messages in it are two frames with CR in them."""
    text = ADMISSION.read_bytes()
    (tmp_path / "x.hl7").write_bytes(wrap(text) + b"\n" + wrap(text).removeprefix(b"\xef\xbb\xbf"))

    with receiver(b"AA") as (address, seen):
        told = run("hl7", "send", tmp_path / "x.hl7", "--to", address)

    assert told.status == 0
    assert told.out.count("MSA|AA") == 2
    assert seen == [text, text]


def test_send_fails_where_a_message_is_refused(run):
    """An answer that is not AA is printed, and the command fails."""
    with receiver(b"AE") as (address, _):
        told = run("hl7", "send", ADMISSION, "--to", address)

    assert (told.status, "MSA|AE" in told.out) == (1, True)


@pytest.mark.parametrize("action", [("show",), ("convert",), ("send", "--to", "127.0.0.1:1")])
def test_a_file_without_a_message_is_told(run, action):
    """A file of something else is told in words."""
    told = run("hl7", *action, __file__)

    assert (told.status, "holds no message" in told.err) == (1, True)


def test_a_missing_file_is_told(run, tmp_path):
    """A file that is not there is named."""
    told = run("hl7", "show", tmp_path / "x.hl7")

    assert told.err == f"fhir-hub hl7: {tmp_path / 'x.hl7'}: No such file or directory\n"


def test_where_nobody_answers_is_told(run):
    """An address where nobody listens, or that is none, is named."""
    nobody = f"127.0.0.1:{free_port()}"

    assert f"{nobody}: Connection refused" in run("hl7", "send", ADMISSION, "--to", nobody).err
    assert "'x' is no address" in run("hl7", "send", ADMISSION, "--to", "x").err
