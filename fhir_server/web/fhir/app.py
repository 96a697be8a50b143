"""The FHIR API as a plain ASGI application: one prefix, one dispatcher, one place for errors.

https://hl7.org/fhir/R4/http.html, https://asgi.readthedocs.io/en/latest/specs/www.html

1. A request gets an id (its own X-Request-Id, if that is well formed), which comes back with the
   answer.
2. Method and path name the interaction; what the client accepts is settled before anything is done.
3. Everything but `metadata` demands a bearer token.
4. `perform` answers or raises a HubError; both are written here, and what is unexpected is a 500
   that tells nothing but the request's id.
5. No more requests are worked on at a time than the process can; those beyond are told at once.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fhir_server.authz.caller import Caller
from fhir_server.errors import Busy, HubError, NotAllowed, Unauthenticated, UnsupportedMedia
from fhir_server.interactions import routes
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.commit import audit_row
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.patch import PATCHES
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.web.fhir import binary, body, cors, request, response
from fhir_server.web.fhir.call import Call, gathered, request_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Authenticate = Callable[[str, int, str], Awaitable[Caller]]
"""Takes the token (empty: none was sent), the time in milliseconds and the request's id; raises
`Unauthenticated`."""

Count = Callable[[str, int, float], None]
"""Takes the interaction, the status and the seconds of what was answered."""

_MOST_STATEMENTS = 8
_TAKES_BODY = frozenset({"POST", "PUT", "PATCH"})

log = get_logger("fhir")


class FhirApp:
    """Serves the interactions of `server` under `prefix`."""

    def __init__(
        self,
        server: Server,
        authenticate: Authenticate,
        count: Count = lambda *_: None,
        prefix: str = "/fhir",
    ) -> None:
        """Take the parts; `authenticate` is `identity`'s, or one that lets everybody in."""
        self._count = count
        self._server = server
        self._authenticate = authenticate
        self._prefix = prefix
        self._types = server.definitions.resource_types
        self._origins = cors.origins(server.settings.cors_origins)
        self._working = 0
        self._statements: dict[tuple[int, Params], Reply] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = self._call(scope)
        self._working += 1
        try:
            status = await self._answer(call, receive, send)
        except body.Disconnected:
            return
        finally:
            self._working -= 1
        seconds = time.perf_counter() - call.started
        self._count(call.ask.name if call.ask else "", status, seconds)
        _log(call, status, seconds)

    def _call(self, scope: Scope) -> Call:
        headers, twice, size = gathered(scope["headers"])
        id = request_id(headers) or self._server.new_id()
        granted = cors.headers(self._origins, headers)
        return Call(
            method=scope["method"],
            path=scope["path"].removeprefix(self._prefix),
            query=scope["query_string"],
            headers=headers,
            twice=twice,
            size=size,
            id=id,
            base=self._server.settings.base_url or _base(scope, headers, self._prefix),
            form=response.Form(headers=((b"x-request-id", id.encode()), *granted)),
        )

    async def _answer(self, call: Call, receive: Receive, send: Send) -> int:
        try:
            if call.method == "OPTIONS":
                headers = [*cors.preflight(self._origins, call.headers), *self._allow(call)]
                await response.write(send, 204, b"", call.form, headers)
                return 204
            reply = await self._reply(call, receive)
            content = self._content(call, reply)
        except HubError as error:
            await response.refuse(send, error, call.form, self._remedy(call, error))
            return error.status
        except body.Disconnected:
            raise
        except Exception as fault:
            log.error("request.failed", request=call.id, exc_info=fault)
            unknown = HubError(f"The hub failed to answer request {call.id}; it is in the log.")
            await response.refuse(send, unknown, call.form, [])
            return unknown.status
        if content is not None:
            await response.stream(send, reply, content, call.form, call.base)
        else:
            await response.respond(send, reply, call.form, call.base)
        return reply.status

    async def _reply(self, call: Call, receive: Receive) -> Reply:
        if self._working > self._server.settings.request_limit:
            raise Busy("The hub works on as many requests as it can; try again.")
        try:
            ask = await self._understood(call, receive)
        except HubError as refusal:
            await self._tell(call, refusal)
            raise
        if ask.name == "capabilities" or call.caller is None:
            await self._server.index.refresh()
            return self._capabilities(ask)
        return await perform(self._server, call.caller, ask)

    def _capabilities(self, ask: Interaction) -> Reply:
        """Return what is made once for each of the few ways to ask, and set of parameters."""
        way = (self._server.index.known.vid, ask.params)
        if len(self._statements) > _MOST_STATEMENTS:
            self._statements.clear()
        if way not in self._statements:
            self._statements[way] = capabilities(self._server, ask)
        return self._statements[way]

    async def _understood(self, call: Call, receive: Receive) -> Interaction:
        """Return what is asked, of a caller who is known. Raises what `_answer` writes."""
        call.check(self._server.settings)
        call.settle_form()
        ask = routes.route(call.method, call.path, self._types, call.base)
        if not binary.wants_content(ask, call.accept, call.format):
            call.check_acceptable()
        call.ask = ask = request.with_headers(ask, call.headers, call.query)
        if ask.name == "capabilities":
            return ask
        call.caller = await self._authenticate(call.token(), self._server.clock(), call.id)
        if call.method in _TAKES_BODY:
            content = await body.read(receive, call.headers, self._server.settings.body_limit)
            call.ask = ask = await request.with_body(ask, call.headers, content)
        return ask

    def _content(self, call: Call, reply: Reply) -> binary.Content | None:
        """Return the content of a Binary where that is what was asked for."""
        is_binary = call.ask is not None and reply.status == 200 and reply.key is not None
        if not is_binary or not binary.wants_content(
            call.ask or Interaction("read"), call.accept, call.format
        ):
            return None
        return binary.content(reply, call.accept)

    async def _tell(self, call: Call, refusal: HubError) -> None:
        """Keep the row of a refusal that never comes to `perform`, where the caller is known."""
        if call.caller is None:
            try:
                token = call.token()
                call.caller = await self._authenticate(token, self._server.clock(), call.id)
            except Unauthenticated:
                return
        ask = call.ask or Interaction("operation")
        await self._server.store.commit([audit_row(call.caller, ask, refusal.status, ())])

    def _allow(self, call: Call) -> response.Headers:
        return [(b"allow", routes.allowed(call.path, self._types).encode())]

    def _remedy(self, call: Call, error: HubError) -> response.Headers:
        """Return the headers that tell what would have been taken.

        https://www.rfc-editor.org/rfc/rfc5789#section-2.2
        """
        if isinstance(error, NotAllowed):
            return self._allow(call)
        if isinstance(error, UnsupportedMedia) and call.method == "PATCH":
            return [(b"accept-patch", ", ".join(PATCHES).encode())]
        return []


def _base(scope: Scope, headers: dict[bytes, bytes], prefix: str) -> str:
    host = headers.get(b"host", b"").decode("latin-1") or "localhost"
    return f"{scope.get('scheme', 'http')}://{host}{prefix}"


def _log(call: Call, status: int, seconds: float) -> None:
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
        ms=round(seconds * 1000, 2),
    )
