"""Content codings: gzip and zstd, both ways, never beyond a limit.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4, https://www.rfc-editor.org/rfc/rfc8878
"""

import zlib
from collections.abc import Callable, Mapping

import zstandard

from fhir_server.errors import BadRequest, TooLarge, UnsupportedMedia
from fhir_server.web.fhir.negotiate import Coding

_LEVEL = 1
_SLICE = 1024
_WINDOW = 8 * 1024 * 1024
"""The window that RFC 8878 asks decoders to take; a larger one only costs memory."""


def pack(body: bytes, coding: Coding) -> bytes:
    """Return a body packed.

    >>> unpack(pack(b"x", "zstd"), "zstd", 1)
    b'x'
    """
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def unpack(body: bytes, coding: str, limit: int) -> bytes:
    """Return what was packed; never makes more than `limit` bytes.

    Raises `UnsupportedMedia` for another coding, `BadRequest` for broken packing, `TooLarge`.
    """
    unpacker = _UNPACK.get(coding)
    if unpacker is None:
        raise UnsupportedMedia("The hub unpacks Content-Encoding gzip and zstd.")
    found = unpacker(body, limit + 1)
    if len(found) > limit:
        raise too_large(limit)
    return found


def _gunzip(body: bytes, most: int) -> bytes:
    opened = zlib.decompressobj(wbits=31)
    try:
        found = opened.decompress(body, most)
    except zlib.error:
        raise BadRequest("The body is said to be gzip and is not.") from None
    if len(found) < most and (not opened.eof or opened.unused_data):
        raise BadRequest("The gzipped body is cut off or followed by something else.")
    return found


def _unzstd(body: bytes, most: int) -> bytes:
    """Unpack slice by slice: what one slice can become is bounded."""
    opened = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    parts: list[bytes] = []
    size = start = 0
    try:
        for start in range(0, len(body), _SLICE):
            parts.append(opened.decompress(body[start : start + _SLICE]))
            size += len(parts[-1])
            if size >= most:
                return b"".join(parts)
            if opened.eof:
                break
    except zstandard.ZstdError:
        raise BadRequest("The body is said to be zstd and is not.") from None
    if not opened.eof or opened.unused_data or start + _SLICE < len(body):
        raise BadRequest("The zstd body is cut off or followed by something else.")
    return b"".join(parts)


_UNPACK: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "zstd": _unzstd,
}


def too_large(limit: int) -> TooLarge:
    """Return the error for a body beyond the limit."""
    return TooLarge(f"The body is larger than {limit} bytes.")
