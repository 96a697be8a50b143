"""The body of a request, within limits, unpacked.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fhir_server.errors import BadRequest, TooLarge, UnsupportedMedia

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The client went away; there is nobody to answer."""


async def read(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return the whole body, unpacked if it came gzipped, at most `limit` bytes both ways.

    Raises `TooLarge`, `UnsupportedMedia` for another encoding, `BadRequest` for broken gzip and
    `Disconnected`.
    """
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > limit:
        raise _too_large(limit)
    body = await _receive(receive, limit)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding == b"identity":
        return body
    if encoding not in (b"gzip", b"x-gzip"):
        raise UnsupportedMedia("The hub unpacks Content-Encoding gzip only.")
    return unpack(body, limit)


async def _receive(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def unpack(body: bytes, limit: int) -> bytes:
    """Return what was gzipped; never makes more than `limit` bytes.

    >>> import gzip
    >>> unpack(gzip.compress(b"{}"), 10)
    b'{}'
    """
    opened = zlib.decompressobj(wbits=31)
    try:
        found = opened.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest("The body is said to be gzip and is not.") from None
    if len(found) > limit:
        raise _too_large(limit)
    if not opened.eof or opened.unused_data:
        raise BadRequest("The gzipped body is cut off or followed by something else.")
    return found


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes.")
