"""Records: a file of resources by URL, each read only when it is asked for.

The first line is a JSON object, URL -> [offset, length], of the lines that follow; offsets count
bytes from the end of the first line.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

_INDEX = msgspec.json.Decoder(dict[str, tuple[int, int]])
_RECORD = msgspec.json.Decoder(Json, float_hook=Decimal)


class Records(Mapping[str, Json]):
    """The resources of one file; nothing is read before the first is asked for, none is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index: dict[str, tuple[int, int]] | None = None
        self._start = 0

    def __getitem__(self, url: str) -> Json:
        offset, length = self._places()[url]
        with self._path.open("rb") as file:
            file.seek(self._start + offset)
            return _RECORD.decode(file.read(length))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def __contains__(self, url: object) -> bool:
        return url in self._places()

    def _places(self) -> dict[str, tuple[int, int]]:
        if self._index is None:
            with self._path.open("rb") as file:
                first = file.readline()
            self._start = len(first)
            self._index = _INDEX.decode(first)
        return self._index
