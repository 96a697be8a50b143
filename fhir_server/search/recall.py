"""What is made of short texts is remembered, since most resources say what others have said."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

_SHORT = 200
"""Characters of the longest text that is remembered: thousands of long ones would fill memory."""
_MOST = 8192


def recalled(make: Callable[[str], T]) -> Callable[[str], T]:
    """Return a pure function of a text that remembers what it made of the last short ones.

    >>> recalled(str.upper)("a")
    'A'
    """
    remembered = lru_cache(_MOST)(make)

    @wraps(make)
    def recall(text: str) -> T:
        return remembered(text) if len(text) <= _SHORT else make(text)

    return recall
