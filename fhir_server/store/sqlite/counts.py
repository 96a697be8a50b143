"""How many there are of what was counted lately.

A count chooses a plan, never an answer: it may be a second old. So what many queries have in
common, above all what a caller may see, is counted once for all of them.
"""

import time
from collections.abc import Callable, Hashable

_SECONDS = 1.0
_MOST = 10_000


class Counts:
    """The counts of the last second, shared by the threads of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know none yet; `clock` tells seconds."""
        self._clock = clock
        self._known: dict[Hashable, int] = {}
        self._until = clock() + _SECONDS

    def get(self, key: Hashable, count: Callable[[], int]) -> int:
        """Return what `count` found when it was last asked under this key."""
        known, now = self._known, self._clock()
        if now > self._until or len(known) >= _MOST:
            known = self._known = {}
            self._until = now + _SECONDS
        found = known.get(key)
        if found is None:
            found = known[key] = count()
        return found
