"""Numbers that grow, with no counter that all hosts would have to share.

A tick is the time in milliseconds, then a counter, then the number of the process: unique among
1,024 processes, and later than every tick that its process has met. So what was written after
something else was read has the higher tick, whatever the hosts' clocks say (a hybrid logical clock,
Kulkarni et al. 2014).
"""

from collections.abc import Callable

PROCESSES = 1024
_COUNTER = 11
_PROCESS = 10


class Ticks:
    """Gives the ticks of one process."""

    def __init__(self, clock: Callable[[], int], process: int) -> None:
        """Take the time in milliseconds since 1970 and the process's number."""
        self._clock = clock
        self._process = process % PROCESSES
        self._last = 0

    def next(self) -> int:
        """Return a tick higher than all before."""
        self._last = max(self._last + 1, self._clock() << _COUNTER)
        return self._last << _PROCESS | self._process

    def met(self, tick: int) -> None:
        """Make the next tick higher than this one, which another process gave."""
        self._last = max(self._last, tick >> _PROCESS)
