"""A breath between two pieces of long work, so that others' small requests come between."""

import asyncio
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fhir_server.errors import TooCostly

_AT_A_TIME = 0.004
_LARGE = 64 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class Breath:
    """Gives the event loop to others once some milliseconds of work were done at a stretch."""

    def __init__(self, seconds: float) -> None:
        """Begin to work; `seconds` is how long all of it may take."""
        self._since = time.perf_counter()
        self._seconds = seconds
        self._end = self._since + seconds

    @property
    def is_over(self) -> bool:
        """Tell whether the time is used up."""
        return time.perf_counter() > self._end

    async def take(self) -> None:
        """Let others come between, if it is time. Raises `TooCostly` when the time is used up."""
        if time.perf_counter() - self._since > _AT_A_TIME:
            if self.is_over:
                raise self.spent()
            await asyncio.sleep(0)
            self._since = time.perf_counter()

    def spent(self) -> TooCostly:
        """Return the error that tells so."""
        return TooCostly(f"The request takes more than {self._seconds:g} seconds; ask for less.")


async def aside(size: int, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Return what `work` returns, done in a thread if what it works on (bytes) is large.

    The interpreter changes threads every few milliseconds, so that others wait no longer.
    """
    if size < _LARGE:
        return work(*args, **more)
    return await asyncio.to_thread(work, *args, **more)
