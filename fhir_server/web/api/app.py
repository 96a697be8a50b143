"""The JSON API as one application: every endpoint but login demands a bearer token."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, HubError, Unauthenticated
from fhir_server.identity.accounts import Account
from fhir_server.identity.authenticate import anybody
from fhir_server.identity.passwords import Passwords
from fhir_server.interactions.server import Server
from fhir_server.web import accounts, looked, messages, sign_in
from fhir_server.web.api.problem import HEADERS, absent, failed, misread, problem, refused
from fhir_server.web.directory import Language
from fhir_server.web.messages import Inbox, Message, Wanted


def _plain(text: str) -> str:
    """Return a text that can be stored. Raises ValueError for half a surrogate pair."""
    if not text.isprintable() and any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError("text is expected, and half a character was found")
    return text


Text = Annotated[str, AfterValidator(_plain)]


class Credentials(BaseModel):
    """What a login sends; `role` is the id of a PractitionerRole."""

    model_config = ConfigDict(extra="forbid")
    login: Text
    password: Text
    role: Text = ""


class NewAccount(BaseModel):
    """A login to be made."""

    model_config = ConfigDict(extra="forbid")
    login: Text
    password: Text
    kind: Text
    name: Text = ""
    person: Text = ""
    roles: tuple[Text, ...] = ()


class Correction(BaseModel):
    """What a replay may send: the text to use in the place of the message's own."""

    model_config = ConfigDict(extra="forbid")
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What the endpoints work with."""

    server: Server
    inbox: Inbox
    passwords: Passwords


Who = Callable[[Request], Awaitable[Caller]]


def api(parts: Parts) -> FastAPI:
    """Return the application, to be mounted at `/api`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json", title="fhir-hub")
    who = authenticator(parts.server)
    for router in (_login(parts, who), _accounts(parts, who), _messages(parts, who)):
        app.include_router(router)
    app.add_exception_handler(HubError, refused)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(HTTPException, absent)
    app.add_exception_handler(Exception, failed)
    return app


def authenticator(server: Server) -> Who:
    """Return what tells who asks, by the bearer token. It raises `Unauthenticated`."""

    async def who(request: Request) -> Caller:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        now, id = server.clock(), server.new_id()
        if text and scheme.lower() == "bearer":
            return await server.callers.authenticate(text.strip(), now, id)
        if server.settings.open:
            return anybody(now, id)
        raise Unauthenticated("A bearer token is needed.")

    return who


def _login(parts: Parts, who: Who) -> APIRouter:
    router = APIRouter()
    server = parts.server

    @router.post("/login")
    async def login(words: Credentials) -> Response:
        account = await sign_in.account_of(server, parts.passwords, words.login, words.password)
        if len(account.roles) > 1 and not words.role:
            roles = [asdict(each) for each in await sign_in.choices(server, account, "zh")]
            return problem(409, [Issue("required", "Choose one of the roles.")], {"roles": roles})
        session = await sign_in.open_session(server, account, words.role)
        told = {"token": session.text, "expires": fhirjson.instant(session.expires)}
        return JSONResponse(told | _told(account), headers=HEADERS)

    @router.post("/logout", status_code=204)
    async def logout(request: Request, caller: Annotated[Caller, Depends(who)]) -> Response:
        text = request.headers.get("authorization", "").partition(" ")[2].strip()
        await sign_in.close_session(server, caller, text)
        return Response(status_code=204)

    @router.get("/who-looked")
    async def who_looked(
        request: Request,
        caller: Annotated[Caller, Depends(who)],
        patient: str = "",
        lang: str = "",
    ) -> Response:
        lines = await looked.who_looked(server, caller, patient, _language(request, lang))
        return JSONResponse({"lines": [asdict(line) for line in lines]}, headers=HEADERS)

    return router


def _accounts(parts: Parts, who: Who) -> APIRouter:
    router = APIRouter()

    @router.get("/accounts")
    async def listing(caller: Annotated[Caller, Depends(who)]) -> Response:
        found = [_told(each) for each in await accounts.listing(parts.server, caller)]
        return JSONResponse({"accounts": found}, headers=HEADERS)

    @router.post("/accounts")
    async def add(asked: NewAccount, caller: Annotated[Caller, Depends(who)]) -> Response:
        wanted = accounts.Asked(**asked.model_dump())
        account = await accounts.add(parts.server, caller, parts.passwords, wanted)
        return JSONResponse(_told(account), 201, HEADERS)

    return router


def _messages(parts: Parts, who: Who) -> APIRouter:
    router = APIRouter()
    server = parts.server

    @router.get("/messages")
    async def listing(
        caller: Annotated[Caller, Depends(who)],
        state: str = "",
        control_id: str = "",
        after: str = "",
    ) -> Response:
        found = await messages.listing(server, caller, Wanted(state, control_id, after))
        rows = [_row(id, message) for id, message in found.messages]
        return JSONResponse({"messages": rows, "next": found.next or None}, headers=HEADERS)

    @router.get("/messages/{id}")
    async def one(id: str, caller: Annotated[Caller, Depends(who)]) -> Response:
        message = await messages.one(server, caller, id)
        more = {
            "text": message.text,
            "sent": message.sent,
            "acknowledgement": message.answer,
            "resources": list(message.made),
            "corrections": [asdict(each) for each in message.corrections],
        }
        return JSONResponse(_row(id, message) | more, headers=HEADERS)

    @router.post("/messages/{id}/replay")
    async def replay(
        id: str, caller: Annotated[Caller, Depends(who)], correction: Correction | None = None
    ) -> Response:
        text = correction.text if correction else None
        if text == "":
            raise BadRequest("The text is empty: leave it out, or send the whole message.")
        done = await messages.replay(server, caller, parts.inbox, id, text)
        answer = {"state": done.state, "acknowledgement": done.answer, "reason": _reason(done)}
        return JSONResponse(answer, headers=HEADERS)

    return router


def _told(account: Account) -> dict[str, Any]:
    """Return what is told of an account: never its password's hash."""
    return {
        "login": account.login,
        "kind": account.kind,
        "name": account.name,
        "person": account.person,
        "roles": list(account.roles),
        "active": account.active,
    }


def _row(id: str, message: Message) -> dict[str, Any]:
    return {
        "id": id,
        "source": message.source,
        "control_id": message.control_id,
        "event": message.event,
        "state": message.state,
        "reason": _reason(message),
        "received": fhirjson.instant(message.time),
        "patient": message.patient or None,
    }


def _reason(message: Message) -> dict[str, str] | None:
    return asdict(message.reason) if message.reason else None


def _language(request: Request, lang: str) -> Language:
    wanted = lang or request.headers.get("accept-language", "")
    return "en" if wanted.lower().startswith("en") else "zh"
