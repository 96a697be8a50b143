"""Many pieces of text as few regular expressions: what pieces begin with stands once. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from fhir_server.errors import TooCostly

LONGEST = 16_000
"""Characters of a pattern; the server refuses one that is twice as long."""
_DEEPEST = 40


def patterns(pieces: Iterable[str]) -> Iterator[str]:
    """Yield expressions, one of which is found where a piece is; none of the pieces is empty.

    Raises TooCostly for a piece that is too long.

    >>> list(patterns(["heart rate", "heart beat", "heart b", "lung"]))
    ['(?:heart (?:b|rate)|lung)']
    """
    yield from _split(_shortest(pieces), lambda some: _joined(some, 0))


def endings(pieces: Iterable[str]) -> Iterator[str]:
    """Yield expressions, one of which is found where a text ends with a piece.

    >>> list(endings(["a", "b"]))
    ['(?:a|b)\\z']
    """
    yield from _split(sorted(set(pieces)), lambda some: _either(map(literal, some)) + r"\z")


def literal(text: str) -> str:
    """Return the expression of a text. BSON ends a pattern at NUL."""
    return re.escape(text).replace("\0", "\\x00")


def _shortest(pieces: Iterable[str]) -> list[str]:
    """Return pieces in order, without those that begin with another one."""
    found: list[str] = []
    for piece in sorted(set(pieces)):
        if not found or not piece.startswith(found[-1]):
            found.append(piece)
    return found


def _split(pieces: Sequence[str], write: Callable[[Sequence[str]], str]) -> Iterator[str]:
    pattern = write(pieces)
    if len(pattern) <= LONGEST:
        yield pattern
    elif len(pieces) == 1:
        raise TooCostly("The text that is looked for is too long")
    else:
        half = len(pieces) // 2
        yield from _split(pieces[:half], write)
        yield from _split(pieces[half:], write)


def _joined(pieces: Sequence[str], depth: int) -> str:
    """Return the expression of pieces in order, none of which begins with another one."""
    if len(pieces) == 1 or depth >= _DEEPEST:
        return _either(map(literal, pieces))
    begun = _common(pieces[0], pieces[-1])
    tails = [piece[len(begun) :] for piece in pieces]
    branches = (_joined(list(some), depth + 1) for _, some in groupby(tails, lambda tail: tail[0]))
    return literal(begun) + _either(branches)


def _common(one: str, other: str) -> str:
    """Return what both begin with; of texts in order all others do, too."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def _either(parts: Iterable[str]) -> str:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else f"(?:{'|'.join(listed)})"
