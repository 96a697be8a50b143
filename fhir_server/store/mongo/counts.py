"""How many records conditions and joins let through, as it was counted lately.

A count only chooses between plans that give the same answers. So one that is a while old serves as
well, and that of another condition of the same hash would.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

SECONDS = 60.0
_MOST = 10_000

_Kept = dict[tuple[str, int], tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a process counted: by type and what was asked, how many and until when it serves."""

    clock: Callable[[], float] = time.monotonic
    _kept: _Kept = field(default_factory=dict)

    def get(self, type: str, asked: Hashable) -> int | None:
        """Return the number, None if it was not counted lately."""
        number, end = self._kept.get((type, hash(asked)), (None, 0.0))
        return number if self.clock() < end else None

    def keep(self, type: str, asked: Hashable, number: int) -> None:
        """Remember a number for a while."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[type, hash(asked)] = number, self.clock() + SECONDS
