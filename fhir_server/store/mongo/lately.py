"""What was found out lately: how many records conditions and joins let through, which values are
there.

It only chooses between plans that give the same answers. So what is a while old serves as well, and
so would that of another condition of the same hash.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SECONDS = 60.0
_MOST = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lately(Generic[T]):
    """What a process found out: by type and what was asked, and until when it serves."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, int], tuple[T, float]] = field(default_factory=dict)

    def get(self, type: str, asked: Hashable) -> T | None:
        """Return what was found, None if it was not asked lately."""
        kept = self._kept.get((type, hash(asked)))
        return kept[0] if kept is not None and self.clock() < kept[1] else None

    def keep(self, type: str, asked: Hashable, found: T) -> None:
        """Remember it for a while."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[type, hash(asked)] = found, self.clock() + SECONDS
