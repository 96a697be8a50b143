"""A server that is none of ours: it answers as it is told, and remembers what it was asked."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fhir_server.bench.target import Target


class Stranger:
    """Creates whatever is posted, chunked; `status` is what it answers, `names` what it made."""

    def __init__(self) -> None:
        self.status, self.made, self.asked = 201, 0, []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length", 0))
        self.asked.append((handler.command, handler.path, handler.rfile.read(length)))
        self.made += 1
        handler.send_response(self.status)
        handler.send_header("Location", f"{handler.path}/{self.made}/_history/1")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b'7\r\n{"total\r\n5\r\n": 1}\r\n0\r\n\r\n')


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """A server of another make, on a port of this machine."""
    told = Stranger()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            told.answer(self)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size, daemon_threads = 256, True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        told.target = Target("stranger", f"http://127.0.0.1:{server.server_port}/r4")
        yield told
        server.shutdown()
        thread.join()
