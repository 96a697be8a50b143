"""A Reply becomes an HTTP response.

https://hl7.org/fhir/R4/http.html#general
"""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from fhir_server import fhirjson
from fhir_server.errors import Busy, HubError, Unauthenticated
from fhir_server.interactions.interaction import Reply
from fhir_server.interactions.outcome import refusal

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_GZIP_FROM = 1024
_GZIP_LEVEL = 1
COMMON: Headers = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"ETag, Last-Modified, Location, Content-Location, X-Request-Id",
    ),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Accept-Encoding, Authorization, Prefer"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True)
class Form:
    """How the client wants its answer: without a body (HEAD), indented, packed."""

    head: bool = False
    pretty: bool = False
    gzip: bool = False


async def respond(send: Send, reply: Reply, form: Form, base: str, request: str) -> None:
    """Send a reply. `base` is the hub's FHIR base, `request` the request's id."""
    headers = [*COMMON, (b"x-request-id", request.encode()), *_about(reply, base)]
    await write(send, reply.status, reply.body, form, headers)


async def refuse(send: Send, error: HubError, form: Form, request: str, extra: Headers) -> None:
    """Send an error: its status and its OperationOutcome."""
    headers = [*COMMON, (b"x-request-id", request.encode()), *extra]
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, Busy):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    headers.append((b"content-type", b"application/fhir+json; charset=utf-8"))
    await write(send, error.status, refusal(error), form, headers)


async def write(send: Send, status: int, body: bytes, form: Form, headers: Headers) -> None:
    """Send status, headers and body, indented and packed as the form says."""
    if form.pretty and body:
        body = fhirjson.pretty(body)
    if form.gzip and len(body) >= _GZIP_FROM:
        packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        headers.append((b"content-encoding", b"gzip"))
    if status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if form.head else body})


def _about(reply: Reply, base: str) -> Headers:
    headers: Headers = []
    if reply.body:
        headers.append((b"content-type", reply.content_type.encode() + b"; charset=utf-8"))
    if reply.vid is not None:
        headers.append((b"etag", f'W/"{reply.vid}"'.encode()))
    if reply.updated is not None:
        headers.append((b"last-modified", http_date(reply.updated // 1000)))
    if reply.created:
        place = f"{base}/{reply.key}/_history/{reply.vid}"
        headers.append((b"location", place.encode()))
    return headers


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """Write seconds since 1970 as an HTTP date.

    >>> http_date(0)
    b'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    return formatdate(seconds, usegmt=True).encode()
