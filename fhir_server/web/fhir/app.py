"""The FHIR API as a plain ASGI application: one prefix, one dispatcher, one place for errors.

https://hl7.org/fhir/R4/http.html, https://asgi.readthedocs.io/en/latest/specs/www.html

1. A request gets an id (its own X-Request-Id, if that is well formed), which comes back with the answer.
2. Method and path name the interaction; what the client accepts is settled before anything is done.
3. Everything but `metadata` demands a bearer token.
4. `perform` answers or raises a HubError; both are written here, and what is unexpected is a 500 that
   tells nothing but the request's id.
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fhir_server.authz.caller import Caller
from fhir_server.errors import HubError, NotAllowed, Unauthenticated
from fhir_server.interactions import routes
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.web.fhir import body, negotiate, request, response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Authenticate = Callable[[str, int, str], Awaitable[Caller]]
"""Takes the token (empty: none was sent), the time in milliseconds and the request's id.

Raises `Unauthenticated`."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9\-.]{1,64}")
_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]{1,4096}=*)", re.IGNORECASE)
_TAKES_BODY = frozenset({"POST", "PUT", "PATCH"})
_PREFLIGHT: response.Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, "
        b"If-Modified-Since, If-None-Exist, X-Request-Id",
    ),
    (b"access-control-max-age", b"86400"),
]

log = get_logger("fhir")


class FhirApp:
    """Serves the interactions of `server` under `prefix`."""

    def __init__(self, server: Server, authenticate: Authenticate, prefix: str = "/fhir") -> None:
        """Take the parts; `authenticate` is `identity`'s, or one that lets everybody in."""
        self._server = server
        self._authenticate = authenticate
        self._prefix = prefix
        self._types = server.definitions.resource_types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = self._request_id(headers)
        exchange = _Exchange(self, scope, headers, request_id)
        try:
            status = await exchange.answer(receive, send)
        except body.Disconnected:
            return
        _log_access(exchange, status, time.perf_counter() - started)

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        given = headers.get(b"x-request-id", b"")
        return given.decode() if _REQUEST_ID.fullmatch(given) else self._server.new_id()


class _Exchange:
    """One request on its way to its answer."""

    __slots__ = ("_app", "_headers", "_scope", "ask", "caller", "form", "method", "path", "request_id")

    def __init__(
        self, app: FhirApp, scope: Scope, headers: dict[bytes, bytes], request_id: str
    ) -> None:
        self._app = app
        self._scope = scope
        self._headers = headers
        self.request_id = request_id
        self.method: str = scope["method"]
        self.path: str = scope["path"].removeprefix(app._prefix).strip("/")
        self.ask: Interaction | None = None
        self.caller: Caller | None = None
        self.form = response.Form(head=self.method == "HEAD")

    async def answer(self, receive: Receive, send: Send) -> int:
        """Send the answer and return its status."""
        try:
            reply = await self._reply(receive)
        except HubError as error:
            await response.refuse(send, error, self.form, self.request_id, self._allow(error))
            return error.status
        except body.Disconnected:
            raise
        except Exception:
            log.exception("request.failed", request=self.request_id)
            unknown = HubError(f"The hub failed; the request was {self.request_id}.")
            await response.refuse(send, unknown, self.form, self.request_id)
            return unknown.status
        ...

    async def _reply(self, receive: Receive) -> Reply: ...
