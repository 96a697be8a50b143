"""Which of many pieces of text a text has in it, or at its end: each place is looked at once."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Pieces(Generic[T]):
    """What belongs to the pieces that a text has in it."""

    def __init__(self, pieces: Mapping[str, T]) -> None:
        """Take pieces, none of them empty, each with what belongs to it."""
        self._pieces = pieces
        lengths: dict[str, set[int]] = {}
        for piece in pieces:
            lengths.setdefault(piece[:2], set()).add(len(piece))
        self._lengths = {head: sorted(found) for head, found in lengths.items()}
        self._firsts = frozenset(piece[0] for piece in pieces)

    def within(self, text: str) -> Iterator[T]:
        """Yield it, once for each place."""
        for at, letter in enumerate(text):
            if letter in self._firsts:
                for head in (letter, text[at : at + 2]):
                    for length in self._lengths.get(head, ()):
                        piece = text[at : at + length]
                        if piece in self._pieces:
                            yield self._pieces[piece]


class Endings(Generic[T]):
    """What belongs to the pieces that a text ends with."""

    def __init__(self, pieces: Mapping[str, T]) -> None:
        """Take pieces, none of them empty, each with what belongs to it."""
        self._pieces = pieces
        self._lengths = sorted({len(piece) for piece in pieces})

    def of(self, text: str) -> Iterator[T]:
        """Yield it."""
        for length in self._lengths:
            piece = text[-length:]
            if piece in self._pieces:
                yield self._pieces[piece]
