"""A progress bar for long work, on a terminal's standard error and nowhere else."""

import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
WIDTH = 28


def progress(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield `items` while a bar (or, without `total`, a count) tells how far it is."""
    bar = _Bar(label, total)
    for item in items:
        yield item
        bar.step()
    bar.end()


async def apace(items: AsyncIterator[T], label: str) -> AsyncIterator[T]:
    """As `progress`, of items that are waited for."""
    bar = _Bar(label, None)
    async for item in items:
        yield item
        bar.step()
    bar.end()


class _Bar:
    """How far it is; told ten times a second at most."""

    def __init__(self, label: str, total: int | None) -> None:
        self._label = label
        self._total = total
        self._started = time.monotonic()
        self._shown = 0.0
        self._done = 0

    def step(self) -> None:
        self._done += 1
        if sys.stderr.isatty() and time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            _show(self._label, self._done, self._total, self._shown - self._started)

    def end(self) -> None:
        if sys.stderr.isatty() and self._done:
            _show(self._label, self._done, self._total, time.monotonic() - self._started)
            sys.stderr.write("\n")


def _show(label: str, done: int, total: int | None, seconds: float) -> None:
    rate = done / seconds if seconds else 0
    if total:
        filled = min(WIDTH, WIDTH * done // total)
        bar = "█" * filled + "·" * (WIDTH - filled)
        sys.stderr.write(f"\r{label} {bar} {done}/{total}  {rate:,.0f}/s ")
    else:
        sys.stderr.write(f"\r{label} {done:,}  {rate:,.0f}/s ")
    sys.stderr.flush()
