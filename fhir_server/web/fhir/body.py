"""The body of a request, within limits, unpacked.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fhir_server.interactions.breath import aside
from fhir_server.web.fhir.packing import too_large, unpack

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The client went away; there is nobody to answer."""


async def read(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return the whole body, unpacked if it came packed, at most `limit` bytes both ways.

    Raises `TooLarge`, `UnsupportedMedia` for another coding, `BadRequest` for broken packing and
    `Disconnected`.
    """
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or len(declared) > 18 or int(declared) > limit:
        raise too_large(limit)
    body = await _receive(receive, limit)
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding in (b"identity", b""):
        return body
    return await aside(len(body), unpack, body, coding.decode("latin-1"), limit)


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
            raise too_large(limit)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
