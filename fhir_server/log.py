"""Structured logs: one JSON object a line, event names and ids, never data of patients.

https://jsonlines.org
"""

import asyncio
import logging
import sys
import time
import traceback
from functools import lru_cache
from typing import Any, BinaryIO

import msgspec

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_encode = msgspec.json.Encoder(enc_hook=repr).encode


def configure(level: str = "info", stream: BinaryIO | None = None) -> None:
    """Send log lines of at least `level` to `stream` (standard error), those of libraries among
    them. Raises ValueError for a level that is none.
    """
    _output.least = severity(level)
    _output.lines = _Lines(stream)
    root = logging.getLogger()
    root.handlers = [_Library()]
    root.setLevel(max(_output.least, logging.WARNING))


def severity(level: str) -> int:
    """Return the number of a level. Raises ValueError for what is not one of the four.

    >>> severity("info")
    20
    """
    if level.lower() not in _LEVELS:
        raise ValueError(f"The log level is {level!r}; expected {', '.join(_LEVELS)}")
    return _LEVELS[level.lower()]


class Logger:
    """Writes the lines of a part of the hub."""

    def __init__(self, part: str) -> None:
        """Take the part's name."""
        self._part = part

    def debug(self, event: str, **fields: Any) -> None:
        """Tell what helps to find a fault."""
        _write("debug", event, fields | {"part": self._part})

    def info(self, event: str, **fields: Any) -> None:
        """Tell what is as it should be."""
        _write("info", event, fields | {"part": self._part})

    def warning(self, event: str, **fields: Any) -> None:
        """Tell what somebody should look at one day."""
        _write("warning", event, fields | {"part": self._part})

    def error(self, event: str, **fields: Any) -> None:
        """Tell what failed; `exc_info` is the exception."""
        _write("error", event, fields | {"part": self._part})

    def exception(self, event: str, **fields: Any) -> None:
        """Tell what failed with the exception that is being handled."""
        _write("error", event, fields | {"part": self._part, "exc_info": sys.exc_info()[1]})


def get_logger(name: str) -> Logger:
    """Return the logger of a part of the hub; it may be made before `configure`."""
    return Logger(name)


def _write(level: str, event: str, fields: dict[str, Any]) -> None:
    if _LEVELS[level] < _output.least:
        return
    fault = fields.pop("exc_info", None)
    told = {"event": event, "level": level, "timestamp": _now()} | fields
    if fault is not None:
        told |= _place(fault)
    _output.lines.add(_encode(told))


def _now() -> str:
    now = time.time_ns() // 1000
    return f"{_second(now // 1_000_000)}.{now % 1_000_000:06d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _place(fault: BaseException) -> dict[str, Any]:
    """Tell an exception's type and where it was raised; what it says may quote a patient."""
    frames = traceback.extract_tb(fault.__traceback__)
    return {
        "exception": type(fault).__qualname__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


class _Lines:
    """Lines on their way to a stream. Those of one turn of an event loop are written together at
    its end: each write gives the interpreter's lock away."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []

    def add(self, line: bytes) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write([line])
            return
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(line)

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        self._write(lines)

    def _write(self, lines: list[bytes]) -> None:
        stream = self._stream or sys.stderr.buffer
        stream.write(b"\n".join([*lines, b""]))
        stream.flush()


class _Library(logging.Handler):
    """Writes what libraries log as lines of the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for name, least in _LEVELS.items() if record.levelno <= least), "error")
        fault = record.exc_info[1] if record.exc_info else None
        _write(level, record.getMessage(), {"part": record.name, "exc_info": fault})


class _Output:
    """Where lines go, and from which level on."""

    least = _LEVELS["info"]
    lines = _Lines()


_output = _Output()
