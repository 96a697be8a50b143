"""The whole site as one ASGI application: `/fhir` by prefix, health, metrics, and the rest
to the pages."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]


class Site:
    """Sends each request to the part that answers it."""

    def __init__(
        self,
        fhir: ASGIApp,
        pages: ASGIApp,
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        """Take the parts; `ready` tells whether the store answers."""
        self._fhir, self._pages, self._ready = fhir, pages, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if path.startswith("/fhir") and path[5:6] in ("", "/"):
            await self._fhir(scope, receive, send)
        elif path == "/healthz":
            await _say(send, 200, "ok")
        elif path == "/readyz":
            ready = await self._ready()
            await _say(
                send, 200 if ready else 503, "ready" if ready else "the store does not answer"
            )
        else:
            await self._pages(scope, receive, send)


async def _say(send: Send, status: int, text: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _TEXT})
    await send({"type": "http.response.body", "body": text.encode()})
