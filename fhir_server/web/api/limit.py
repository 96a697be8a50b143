"""Bodies of the JSON API within limits: nobody is read into memory before it is known who asks."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import HTTPException

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Limited:
    """Hands requests on to an application, and their bodies up to `limit` bytes."""

    def __init__(self, app: App, limit: int) -> None:
        """Take the application."""
        self._app, self._limit = app, limit

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; with 413 where its body is larger."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                raise HTTPException(413, f"A body has at most {self._limit} bytes here.")
            return message

        await self._app(scope, counted, send)
