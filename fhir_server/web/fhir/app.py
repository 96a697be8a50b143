"""The FHIR API as a plain ASGI application: one prefix, one dispatcher, one place for errors.

https://hl7.org/fhir/R4/http.html, https://asgi.readthedocs.io/en/latest/specs/www.html

1. A request gets an id (its own X-Request-Id, if that is well formed), which comes back with the
   answer.
2. Method and path name the interaction; what the client accepts is settled before anything is done.
3. Everything but `metadata` demands a bearer token.
4. `perform` answers or raises a HubError; both are written here, and what is unexpected is a 500
   that tells nothing but the request's id.
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from fhir_server.authz.caller import Caller
from fhir_server.errors import HubError, NotAllowed, Unauthenticated
from fhir_server.interactions import query, routes
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.web.fhir import body, negotiate, request, response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Authenticate = Callable[[str, int, str], Awaitable[Caller]]
"""Takes the token (empty: none was sent), the time in milliseconds and the request's id; raises
`Unauthenticated`."""

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


@dataclass(slots=True)
class _Call:
    """One request on its way to its answer: what is known of it so far."""

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    id: str
    base: str
    started: float = field(default_factory=time.perf_counter)
    form: response.Form = field(default_factory=response.Form)
    ask: Interaction | None = None
    caller: Caller | None = None


class FhirApp:
    """Serves the interactions of `server` under `prefix`."""

    def __init__(self, server: Server, authenticate: Authenticate, prefix: str = "/fhir") -> None:
        """Take the parts; `authenticate` is `identity`'s, or one that lets everybody in."""
        self._server = server
        self._authenticate = authenticate
        self._prefix = prefix
        self._types = server.definitions.resource_types
        self._statement: Reply | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = self._call(scope)
        try:
            status = await self._answer(call, receive, send)
        except body.Disconnected:
            return
        scope["interaction"] = call.ask.name if call.ask else ""
        _log(call, status)

    def _call(self, scope: Scope) -> _Call:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        return _Call(
            method=scope["method"],
            path=scope["path"].removeprefix(self._prefix),
            query=scope["query_string"],
            headers=headers,
            id=given.decode() if _REQUEST_ID.fullmatch(given) else self._server.new_id(),
            base=self._server.settings.base_url or _base(scope, headers, self._prefix),
        )

    async def _answer(self, call: _Call, receive: Receive, send: Send) -> int:
        try:
            if call.method == "OPTIONS":
                headers = [*_PREFLIGHT, *_allow(call.path, self._types)]
                await response.write(send, 204, b"", call.form, [*response.COMMON, *headers])
                return 204
            reply = await self._reply(call, receive)
        except HubError as error:
            extra = _allow(call.path, self._types) if isinstance(error, NotAllowed) else []
            await response.refuse(send, error, call.form, call.id, extra)
            return error.status
        except body.Disconnected:
            raise
        except Exception as fault:
            log.error("request.failed", request=call.id, exc_info=fault)
            unknown = HubError(f"The hub failed to answer request {call.id}; it is in the log.")
            await response.refuse(send, unknown, call.form, call.id, [])
            return unknown.status
        await response.respond(send, reply, call.form, call.base, call.id)
        return reply.status

    async def _reply(self, call: _Call, receive: Receive) -> Reply:
        try:
            ask = await self._understood(call, receive)
        except HubError as refusal:
            await self._tell(call, refusal)
            raise
        if ask.name == "capabilities" or call.caller is None:
            return self._capabilities(ask)
        return await perform(self._server, call.caller, ask)

    async def _understood(self, call: _Call, receive: Receive) -> Interaction:
        """Return what is asked, of a caller who is known. Raises what `_answer` writes."""
        _settle_form(call)
        ask = routes.route(call.method, call.path, self._types)
        call.ask = ask = request.with_headers(ask, call.headers, call.query, call.base)
        if ask.name == "capabilities":
            return ask
        call.caller = await self._authenticate(_token(call.headers), self._server.clock(), call.id)
        if call.method in _TAKES_BODY:
            content = await body.read(receive, call.headers, self._server.settings.body_limit)
            call.ask = ask = request.with_body(ask, call.headers, content)
        return ask

    async def _tell(self, call: _Call, refusal: HubError) -> None:
        """Keep the row of a refusal that never comes to `perform`, where the caller is known."""
        if call.caller is None:
            try:
                token = _token(call.headers)
                call.caller = await self._authenticate(token, self._server.clock(), call.id)
            except Unauthenticated:
                return
        ask = call.ask or Interaction("operation")
        await self._server.store.commit([audit_row(call.caller, ask, refusal.status, ())])

    def _capabilities(self, ask: Interaction) -> Reply:
        if ask.params:
            return capabilities(self._server, ask)
        if self._statement is None:
            self._statement = capabilities(self._server, ask)
        return self._statement


def _settle_form(call: _Call) -> None:
    """Find out how the client wants its answer. Raises `NotAcceptable`."""
    headers = call.headers
    formats: dict[str, str] = {}
    if b"_format=" in call.query or b"_pretty=" in call.query:
        formats = dict(query.params(call.query.decode("latin-1")))
    call.form = response.Form(
        head=call.method == "HEAD",
        pretty=formats.get("_pretty", "false") == "true",
        gzip=negotiate.takes_gzip(request.text(headers, b"accept-encoding")),
    )
    if "_format" in formats:
        negotiate.accept_format(formats["_format"])
    else:
        negotiate.accept(request.text(headers, b"accept"))


def _base(scope: Scope, headers: dict[bytes, bytes], prefix: str) -> str:
    host = headers.get(b"host", b"").decode("latin-1") or "localhost"
    return f"{scope.get('scheme', 'http')}://{host}{prefix}"


def _allow(path: str, types: frozenset[str]) -> response.Headers:
    return [(b"allow", routes.allowed(path, types).encode())]


def _token(headers: dict[bytes, bytes]) -> str:
    header = request.text(headers, b"authorization")
    if not header:
        return ""
    found = _BEARER.fullmatch(header.strip())
    if not found:
        raise Unauthenticated("The Authorization header has no bearer token.")
    return found[1]


def _log(call: _Call, status: int) -> None:
    ask, caller = call.ask, call.caller
    log.info(
        "request",
        request=call.id,
        method=call.method,
        interaction=ask.name if ask else "",
        type=ask.type if ask else "",
        id=ask.id if ask else "",
        account=caller.account if caller else "",
        status=status,
        ms=round((time.perf_counter() - call.started) * 1000, 2),
    )
