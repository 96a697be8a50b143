"""An MLLP listener: sockets around the decoder of `mllp`.

1. A connection's frames are handled one after the other; while one is handled nothing is read, so a
   sender that is too fast waits in its own TCP window.
2. A connection ends when nothing came for `idle` seconds, when a frame took longer than `frame`
   seconds from its first byte to its last, or when a frame is too large.
3. Beyond `connections` open connections a new one is closed at once.
4. On closing, nobody new is let in. A connection that is silent for another `farewell` seconds
   ends; a frame that has begun is read to its end and answered, within `grace` seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.transport.mllp import MAX_FRAME, Decoder, Frame, Garbage, TooLarge, encode
from fhir_server.log import get_logger

Handle = Callable[[bytes, str], Awaitable[bytes | None]]
"""Takes a message and the peer's address; returns the answer, None for silence. Never raises."""

_READ = 64 * 1024
_log = get_logger("mllp")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a listener bears; times in seconds, `largest` in bytes."""

    connections: int = 256
    idle: float = 600.0
    frame: float = 60.0
    farewell: float = 0.5
    grace: float = 10.0
    largest: int = MAX_FRAME


class Listener:
    """Accepts connections and answers their frames; `opened` is told of each one, 1 and -1."""

    def __init__(
        self,
        handle: Handle,
        limits: Limits | None = None,
        opened: Callable[[int], None] = lambda change: None,
    ) -> None:
        self._handle = handle
        self._limits = limits or Limits()
        self._opened = opened
        self._tasks: dict[asyncio.Task[None], bool] = {}  # whether it is at a frame
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (a free one where `port` is 0)."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=_READ)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop as rule 4 says."""
        if self._server is None:
            return
        self._server.close()
        if self._tasks:  # what was sent may not be read yet
            await asyncio.wait(self._tasks, timeout=self._limits.farewell)
        for task, busy in self._tasks.items():
            if not busy:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._limits.grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections:
            _log.warning("mllp.refused", open=len(self._tasks))
            writer.close()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks[task] = False
        self._opened(1)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._opened(-1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        decoder = Decoder(self._limits.largest)
        try:
            await self._exchange(reader, writer, decoder, peer)
        except (TimeoutError, ConnectionError, asyncio.CancelledError) as end:
            _log.info("mllp.ended", reason=type(end).__name__)
        finally:
            for event in decoder.close():
                _tell(event)
            writer.close()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: Decoder,
        peer: str,
    ) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        deadline = loop.time() + self._limits.idle
        while self._tasks[task] or (self._server is not None and self._server.is_serving()):
            async with asyncio.timeout_at(deadline):
                data = await reader.read(_READ)
            if not data:
                return
            was_inside = decoder.is_inside
            self._tasks[task] = True
            for event in decoder.feed(data):
                _tell(event)
                if isinstance(event, TooLarge):
                    return
                if isinstance(event, Frame):
                    await self._answer(event, writer, peer)
                    was_inside = False
            self._tasks[task] = decoder.is_inside
            if not decoder.is_inside:
                deadline = loop.time() + self._limits.idle
            elif not was_inside:
                deadline = loop.time() + self._limits.frame

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter, peer: str) -> None:
        answer = await self._handle(frame.content, peer)
        if answer is not None:
            writer.write(encode(answer))
            async with asyncio.timeout(self._limits.frame):
                await writer.drain()


def _tell(event: Frame | Garbage | TooLarge) -> None:
    match event:
        case Garbage(content, reason):
            _log.warning("mllp.garbage", reason=reason, size=len(content))
        case TooLarge(limit):
            _log.warning("mllp.too_large", limit=limit)
        case Frame(nested=nested) if nested:
            _log.warning("mllp.framed_twice", times=nested + 1)
        case _:
            pass
