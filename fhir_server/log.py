"""Structured logs: one JSON object a line, event names and ids, never data of patients.

https://www.structlog.org/en/stable/
"""

import asyncio
import logging
import sys
import time
import traceback
from functools import lru_cache
from typing import Any, BinaryIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

_encoder = msgspec.json.Encoder(enc_hook=repr)
_handler = logging.StreamHandler()


def configure(
    level: str = "info", stream: BinaryIO | None = None, *, for_good: bool = True
) -> None:
    """Send log lines of at least `level` to `stream` (standard error), those of libraries among
    them. `for_good`: loggers that were used keep to it. Raises ValueError for a level that is none.
    """
    least, lines = severity(level), _Lines(stream)
    shared: list[Processor] = [structlog.processors.add_log_level, _stamp]
    structlog.configure(
        processors=[*shared, _place, _line],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=for_good and stream is None,
    )
    _handler.setStream(cast(Any, _Text(stream)))
    _handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _place,
                lambda logger, name, event: _line(logger, name, event).decode(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [_handler]
    root.setLevel(max(least, logging.WARNING))


def severity(level: str) -> int:
    """Return the number of a level. Raises ValueError for what is not one of the four.

    >>> severity("info")
    20
    """
    if level.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError(f"The log level is {level!r}; expected debug, info, warning or error")
    return logging.getLevelNamesMapping()[level.upper()]


def get_logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a part of the hub; it may be made before `configure`."""
    return cast(FilteringBoundLogger, structlog.get_logger(part=name))


def _stamp(_logger: Any, _name: str, event: EventDict) -> EventDict:
    now = time.time_ns() // 1000
    event["timestamp"] = f"{_second(now // 1_000_000)}.{now % 1_000_000:06d}Z"
    return event


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _place(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Tell an exception's type and where it was raised; what it says may quote a patient."""
    given = event.pop("exc_info", None)
    fault = given if isinstance(given, BaseException) else (sys.exc_info()[1] if given else None)
    if isinstance(given, tuple):
        fault = given[1]
    if fault is not None:
        event["exception"] = type(fault).__qualname__
        event["at"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(fault.__traceback__)
        ]
    return event


def _line(_logger: Any, _name: str, event: EventDict) -> bytes:
    return _encoder.encode(event)


class _Lines:
    """A logger of finished lines. What is logged in one turn of an event loop is written together
    at its end: each write gives the interpreter's lock away."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def msg(self, line: bytes) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write(line + b"\n")
            return
        if loop is not self._loop or not self._waiting:
            self._loop = loop  # another one may have ended with lines that wait
            loop.call_soon(self._flush)
        self._waiting.append(line)

    debug = info = warning = error = critical = exception = msg

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        self._write(b"\n".join([*lines, b""]))

    def _write(self, text: bytes) -> None:
        stream = self._stream or sys.stderr.buffer
        stream.write(text)
        stream.flush()


class _Text:
    """A text stream over bytes, for handlers of the standard library."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        (self._stream or sys.stderr.buffer).write(text.encode())

    def flush(self) -> None:
        (self._stream or sys.stderr.buffer).flush()
