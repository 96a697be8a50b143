"""What was made of stored definitions, kept by the versions that it was made of.

Every request looks up which versions there are; only what was made of the very same ones is used
again. So the next request sees a change, whichever process made it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 256


@dataclass(slots=True)
class Kept:
    """The things last used, by what they were made of."""

    most: int = _MOST
    _things: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the thing of a key, which `make` makes if it is not kept."""
        if key in self._things:
            self._things.move_to_end(key)
        else:
            self._things[key] = make()
            if len(self._things) > self.most:
                self._things.popitem(last=False)
        return self._things[key]  # type: ignore[no-any-return]  # a key stands for one type
