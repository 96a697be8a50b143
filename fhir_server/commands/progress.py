"""A progress bar for long work, on a terminal's standard error and nowhere else."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
WIDTH = 28


def progress(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield `items` while a bar (or, without `total`, a count) tells how far it is."""
    started = time.monotonic()
    shown, done = 0.0, 0
    for done, item in enumerate(items, 1):
        yield item
        if sys.stderr.isatty() and time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            _show(label, done, total, shown - started)
    if sys.stderr.isatty() and done:
        _show(label, done, total, time.monotonic() - started)
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
