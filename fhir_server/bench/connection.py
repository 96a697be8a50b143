"""A kept connection to a server that is measured: one request at a time, over HTTP/1.1 or MLLP.

https://www.rfc-editor.org/rfc/rfc9112, https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

import httptools

from fhir_server.bench.target import Target

_PATIENCE = 120.0  # seconds that an answer may take
_PORTS = {"http": 80, "https": 443}
_END = b"\x1c\r"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the status is 0 where the connection was lost or nothing came in time."""

    status: int
    location: str = ""
    body: bytes = b""

    @property
    def succeeded(self) -> bool:
        """Tell whether it is a 2xx."""
        return self.status // 100 == 2

    @property
    def name(self) -> str:
        """Return the literal reference of what was made, by its Location.

        >>> Answer(201, "http://a.example/fhir/Patient/1/_history/1").name
        'Patient/1'
        """
        parts = self.location.partition("/_history/")[0].split("/")
        return "/".join(parts[-2:])


class Connection(Protocol):
    """Takes one request at a time."""

    async def ask(self, data: bytes) -> Answer:
        """Send a request and wait for its answer."""

    def close(self) -> None:
        """Close the connection."""

    @property
    def is_closed(self) -> bool:
        """Tell whether the other side, or an error, has ended it."""


async def http(target: Target) -> Connection:
    """Connect to a server's base. Raises OSError."""
    parts = urlsplit(target.base)
    port = parts.port or _PORTS[parts.scheme]
    secure = True if parts.scheme == "https" else None
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(_Http, parts.hostname or "", port, ssl=secure)
    return made


async def mllp(target: Target) -> Connection:
    """Connect to a server's MLLP address. Raises OSError."""
    host, port = target.mllp.rsplit(":", 1)
    _, made = await asyncio.get_running_loop().create_connection(_Mllp, host, int(port))
    return made


class _Kept(asyncio.Protocol):
    """What both have in common: who waits is told, at the latest when his patience is over."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._tell(Answer(0))

    async def ask(self, data: bytes) -> Answer:
        if self._transport is None or self._transport.is_closing():
            return Answer(0)
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        timer = loop.call_later(_PATIENCE, self.close)
        self._transport.write(data)
        answer: Answer = await waiting
        timer.cancel()
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _tell(self, answer: Answer) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)


class _Http(_Kept):
    """The parser calls what is named on_…"""

    def __init__(self) -> None:
        super().__init__()
        self._begin()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"location":
            self._location = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        answer = Answer(self._parser.get_status_code(), self._location, b"".join(self._body))
        if not self._parser.should_keep_alive():
            self.close()
        self._begin()
        self._tell(answer)

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._location = ""
        self._body: list[bytes] = []


class _Mllp(_Kept):
    """An acknowledgement counts as 200 if it is AA, else as 500."""

    def __init__(self) -> None:
        super().__init__()
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._read.endswith(_END):
            answer, self._read = self._read, b""
            self._tell(Answer(200 if b"MSA|AA" in answer else 500, body=answer))
