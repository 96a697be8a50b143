"""An archive: all versions of a store in one file.

| part | what |
|---|---|
| `fhir-hub archive 1\\n` | what it is, and the number of this layout |
| header | JSON: when it was made, by which version, how it is sealed |
| frames | `store.sealing`: zstd of MessagePack, some hundreds of lines of the change feed each |
| last frame | the manifest: JSON with counts by type, the last sequence number, the hash of all |

Header and frames stand behind their lengths (4 bytes, big-endian). It is written and read from
front to back, a frame at a time.
"""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard

from fhir_server.model import Line
from fhir_server.store.carry import Sum
from fhir_server.store.sealing import Chained, Damaged, Frames, Sealed

MAGIC = b"fhir-hub archive 1\n"
_LINES = 500
_BYTES = 4 * 1024 * 1024
_ENTRY = 100
_LONGEST = 512 * 1024 * 1024
_AES = "AES-256-GCM"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Line]).decode


class Header(msgspec.Struct, frozen=True):
    """What is told before anything is opened; `made` is milliseconds since 1970 UTC."""

    made: int
    hub: str
    sealed: str = ""
    salt: bytes = b""


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds: versions and records by type, tombstones among them."""

    versions: dict[str, int]
    records: dict[str, int]
    last: int
    sha256: str


async def write(
    file: BinaryIO, lines: AsyncIterator[Line], key: bytes | None, made: int, hub: str
) -> Manifest:
    """Write an archive, sealed if there is a `key`, and return its manifest."""
    salt = secrets.token_bytes(32) if key else b""
    header = msgspec.json.encode(Header(made, hub, _AES if key else "", salt))
    frames = _frames(header, key, salt)
    file.write(MAGIC)
    _put(file, header)
    found = Sum()
    waiting: list[Line] = []
    size = 0
    async for line in lines:
        found.add(line)
        waiting.append(line)
        size += len(line.version.body or b"") + _ENTRY * len(line.entries or ())
        if len(waiting) >= _LINES or size > _BYTES:
            _put(file, frames.close(_packed(waiting), last=False))
            waiting, size = [], 0
    if waiting:
        _put(file, frames.close(_packed(waiting), last=False))
    manifest = _manifest(found)
    _put(file, frames.close(msgspec.json.encode(manifest), last=True))
    return manifest


class Archive:
    """An archive in a file; a source of versions (`carry.Source`)."""

    def __init__(self, path: Path, key: bytes | None) -> None:
        """Look at the header. Raises ValueError, in words, for what cannot be opened."""
        self.path = path
        self._key = key
        try:
            with path.open("rb") as file:
                self.header = msgspec.json.decode(_header(file), type=Header)
        except (EOFError, UnicodeDecodeError, msgspec.MsgspecError):
            raise ValueError(f"{path} is not an archive of the hub") from None
        if self.header.sealed not in ("", _AES):
            raise ValueError(f"{path} is sealed in an unknown way; a newer version may open it")
        if self.header.sealed and key is None:
            raise ValueError(f"{path} is encrypted; set FHIR_HUB_BACKUP_KEY to its key")
        if key is not None and not self.header.sealed:
            raise ValueError(
                f"{path} is not encrypted though FHIR_HUB_BACKUP_KEY is set; "
                "unset it if you trust this archive"
            )

    async def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield the lines behind a sequence number. Raises ValueError where the archive is not as
        it was written, at its end at the latest."""
        found = Sum()
        for lines in self._pieces(found):
            for line in lines:
                found.add(line)
                if line.seq > after:
                    yield line

    async def manifest(self) -> Manifest:
        """Read everything and return the manifest. Raises ValueError as `export` does."""
        found = Sum()
        async for line in self.export():
            found.add(line)
        return _manifest(found)

    def _pieces(self, found: Sum) -> Iterator[list[Line]]:
        """Yield the lines of each frame; `found` is what the manifest then has to say."""
        try:
            with self.path.open("rb") as file:
                header = _header(file)
                frames = _frames(header, self._key, self.header.salt)
                frame, following = _get(file), _get(file)
                while following is not None:
                    yield _decode(_unpacked(frames.open(frame or b"", last=False)))
                    frame, following = following, _get(file)
                manifest = msgspec.json.decode(frames.open(frame or b"", last=True), type=Manifest)
        except (Damaged, EOFError, UnicodeDecodeError, msgspec.MsgspecError, zstandard.ZstdError):
            raise self._damage() from None
        if manifest != _manifest(found):
            raise self._damage()

    def _damage(self) -> ValueError:
        key = " or the key is another one" if self.header.sealed else ""
        return ValueError(f"{self.path} is damaged, cut off or changed{key}")


def _frames(header: bytes, key: bytes | None, salt: bytes) -> Frames:
    return Sealed(key, header, salt) if key else Chained(header)


def _manifest(found: Sum) -> Manifest:
    versions = dict(sorted(found.versions.items()))
    return Manifest(versions, dict(sorted(found.records.items())), found.last, found.sha256)


def _packed(lines: list[Line]) -> bytes:
    return zstandard.compress(_encode(lines))


def _unpacked(content: bytes) -> bytes:
    if zstandard.frame_content_size(content) > _LONGEST:
        raise Damaged
    return zstandard.decompress(content)


def _put(file: BinaryIO, content: bytes) -> None:
    file.write(len(content).to_bytes(4, "big"))
    file.write(content)


def _get(file: BinaryIO) -> bytes | None:
    """Return the next part, None at the end. Raises EOFError amid a part."""
    length = file.read(4)
    if not length:
        return None
    size = int.from_bytes(length, "big")
    content = file.read(size) if len(length) == 4 and size <= _LONGEST else b""
    if len(content) < size or len(length) < 4:
        raise EOFError
    return content


def _header(file: BinaryIO) -> bytes:
    """Return the header behind the magic words. Raises EOFError where they are missing."""
    if file.read(len(MAGIC)) != MAGIC:
        raise EOFError
    return _get(file) or b""


@contextmanager
def fresh(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that only its owner reads, and that gets its name once it is on the disk.

    Raises ValueError if there is one of that name; whatever goes wrong, none is left behind.
    """
    if path.exists():
        raise ValueError(f"{path} exists already")
    number, name = tempfile.mkstemp(".part", f"{path.name}.", path.parent)  # mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
