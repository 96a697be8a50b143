"""A limit on request bodies, before anything is made of them."""

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from conformance.issues import Issue
from fhir_server.web.api.problem import problem

LIMIT = 4 * 1024 * 1024


def limited(app: ASGIApp, limit: int = LIMIT) -> ASGIApp:
    """Return the application behind a limit on bodies, in bytes.

    What announces more is answered 413; what sends more than it announced is cut off.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            words = f"A body here has at most {limit} bytes."
            await problem(413, [Issue("too-long", words)])(scope, receive, send)
            return
        await app(scope, _counted(receive, limit), send)

    return answer


def _counted(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= limit else {"type": "http.disconnect"}

    return counted
