"""A Reply becomes an HTTP response.

https://hl7.org/fhir/R4/http.html#general
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from fhir_server import fhirjson
from fhir_server.errors import Busy, HubError, Unauthenticated
from fhir_server.interactions.breath import aside
from fhir_server.interactions.interaction import Reply
from fhir_server.interactions.outcome import refusal
from fhir_server.web.fhir.binary import Content
from fhir_server.web.fhir.negotiate import Coding
from fhir_server.web.fhir.packing import pack

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_PACK_FROM = 1024
_COMMON: Headers = [
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Accept-Encoding, Authorization, Prefer, Origin"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True)
class Form:
    """How the client wants its answer: without a body (HEAD), indented, packed.

    `headers` go with every answer to it.
    """

    head: bool = False
    pretty: bool = False
    coding: Coding = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def respond(send: Send, reply: Reply, form: Form, base: str) -> None:
    """Send a reply. `base` is the hub's FHIR base."""
    await write(send, reply.status, reply.body, form, _about(reply, base))


async def stream(send: Send, reply: Reply, content: Content, form: Form, base: str) -> None:
    """Send what the Binary of a reply holds, part by part, as it is."""
    about = [*_about(replace(reply, body=b""), base), *content.headers()]
    about.append((b"content-length", str(content.size).encode()))
    headers = [*_COMMON, *form.headers, *about]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for part in () if form.head else content.parts():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def refuse(send: Send, error: HubError, form: Form, extra: Headers) -> None:
    """Send an error: its status and its OperationOutcome."""
    headers = list(extra)
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, Busy):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    headers.append((b"content-type", b"application/fhir+json; charset=utf-8"))
    await write(send, error.status, refusal(error), form, headers)


async def write(send: Send, status: int, body: bytes, form: Form, about: Headers) -> None:
    """Send status, headers and body, indented and packed as the form says."""
    headers = [*_COMMON, *form.headers, *about]
    if form.pretty and body:
        body = await aside(len(body), fhirjson.pretty, body)
    if form.coding and len(body) >= _PACK_FROM:
        body = await aside(len(body), pack, body, form.coding)
        headers.append((b"content-encoding", form.coding.encode()))
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
    headers += ((name.encode(), value.encode()) for name, value in reply.headers)
    return headers


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """Write seconds since 1970 as an HTTP date.

    >>> http_date(0)
    b'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    return formatdate(seconds, usegmt=True).encode()
