"""Connections that keep slow and endless clients from holding on to the server.

https://www.rfc-editor.org/rfc/rfc9112

1. The head of a request has a size (431 beyond it) and a time to arrive in.
2. A body keeps coming, and an answer keeps being taken: whoever does less than a thousand bytes a
   second for the length of `stall_seconds` is dropped.
3. While the hub itself does not read, because it has enough to do, nobody is blamed.
4. When the server stops, every request that was sent is answered: one under way is finished, and a
   connection that is silent stays open for another two seconds, since its client may be sending
   already. The last answer says `Connection: close`, so that a client sends no more after it.
"""

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.interactions.outcome import outcome
from fhir_server.settings import load

_LEAST = 1000  # bytes a second
_FAREWELL = 2.0  # seconds

_REASONS = {400: ("invalid", "Bad Request"), 431: ("too-long", "Request Header Fields Too Large")}


class _Limits(NamedTuple):
    head: int
    stall: float


@lru_cache(maxsize=1)
def _limits() -> _Limits:
    settings = load()
    return _Limits(settings.header_limit + settings.url_limit, settings.stall_seconds)


class Connection(HttpToolsProtocol):
    """One client's connection. Its limits are the settings of the environment."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take what uvicorn hands every connection."""
        super().__init__(*given, **named)
        self._limits = _limits()
        self._in_head = True
        self._in_body = False
        self._received = 0
        self._left = 0
        self._stopping = False
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request's head its time."""
        another = next(iter(self.connections), None)
        super().connection_made(transport)
        self._await_head()
        if isinstance(another, Connection) and another._stopping:
            self.shutdown()  # let in at the very moment: the server has told all others already

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._stop_reading()
        self._stop_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes, and refuse a head that does not end."""
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > self._limits.head and not self._is_closing():
            self._refuse(431, f"The head of a request has at most {self._limits.head} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the words of FHIR."""
        self._refuse(400, msg)

    def on_message_begin(self) -> None:
        """Give a head its time."""
        super().on_message_begin()
        self._in_head = True
        self._await_head()

    def on_headers_complete(self) -> None:
        """Watch the body instead."""
        self._in_head = False
        self._in_body = True
        self._stop_reading()
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False
        self._received = 0
        self._reading = self.loop.call_later(self._limits.stall, self._check_body, 0)

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is there."""
        super().on_message_complete()
        self._in_body = False
        self._received = 0
        self._stop_reading()

    def shutdown(self) -> None:
        """Answer what was sent, then close."""
        self._stopping = True
        if self._is_idle():
            self.loop.call_later(_FAREWELL, self._close_if_idle)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Watch whether the client takes what it was sent."""
        super().pause_writing()
        self._left = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self._limits.stall, self._check_taken)

    def resume_writing(self) -> None:
        """The client takes it."""
        super().resume_writing()
        self._stop_writing()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        """Close unless a request is coming or under way; that one is the last."""
        if self._is_idle() and not self._received and not self._is_closing():
            self.transport.close()

    def _refuse(self, status: int, words: str) -> None:
        code, phrase = _REASONS[status]
        body = fhirjson.encode(outcome([Issue(code, words)]))
        head = (
            f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\n"
            f"content-type: application/fhir+json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _await_head(self) -> None:
        self._stop_reading()
        self._reading = self.loop.call_later(self._limits.stall, self._drop)

    def _check_body(self, before: int) -> None:
        """Drop a client that has sent too little since the last look, unless we did not read."""
        if not self._in_body:
            return
        paused = self.flow.read_paused or self.cycle.waiting_for_100_continue
        if not paused and self._received - before < self._limits.stall * _LEAST:
            self._drop()
            return
        self._reading = self.loop.call_later(self._limits.stall, self._check_body, self._received)

    def _check_taken(self) -> None:
        """Drop a client that has taken too little since the last look."""
        left = self.transport.get_write_buffer_size()
        if self._left - left < self._limits.stall * _LEAST:
            self._drop()
            return
        self._left = left
        self._writing = self.loop.call_later(self._limits.stall, self._check_taken)

    def _drop(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()

    def _is_closing(self) -> bool:
        return self.transport is None or self.transport.is_closing()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
