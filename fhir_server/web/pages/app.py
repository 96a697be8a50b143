"""The pages, the JSON API beside them and their assets, as one ASGI application.

1. Each request is authenticated anew from the session's cookie; a page that demands a caller and
   has none leads to the login and back.
2. A form holds only with the word that its page carried.
3. An error is a page: 404 is the same for hidden and absent.
4. Nothing is loaded from elsewhere, and no script or style stands in a page: the policy says so.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from fhir_server.authz.caller import Kind
from fhir_server.errors import BadRequest, Forbidden, HubError, NotFound, Unauthenticated
from fhir_server.identity.authenticate import anybody
from fhir_server.identity.passwords import Passwords
from fhir_server.identity.sessions import is_csrf
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.web.api.app import Parts as ApiParts
from fhir_server.web.api.app import api, authenticator
from fhir_server.web.api.limit import limited
from fhir_server.web.api.problem import refused
from fhir_server.web.messages import Became, Inbox
from fhir_server.web.metrics import Metrics
from fhir_server.web.pages import enter, me, record, refer, referral, trail
from fhir_server.web.pages import inbox as messages
from fhir_server.web.pages.errors import error_page
from fhir_server.web.pages.visit import Parts, Visit, fingerprint, form, redirect
from fhir_server.web.pages.worklist import show_worklist
from fhir_server.web.sign_in import own_account
from fhir_server.web.site import ASGIApp

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
METRICS_KINDS: tuple[Kind, ...] = ("admin", "operator", "open")

_HERE = Path(__file__).parent
_ASSETS = _HERE.parent / "static"
_MEDIA = {".css": "text/css", ".svg": "image/svg+xml"}
_YEAR = "public, max-age=31536000, immutable"
_BROWSER = "hub_browser"
_LANGUAGE = "hub_language"

log = get_logger("pages")

Handler = Callable[[Visit], Awaitable[Response]]
Everyone: tuple[Kind, ...] = ("staff", "patient", "admin", "auditor", "operator", "open", "feed")
_RECORD: tuple[Kind, ...] = ("staff", "patient", "operator", "open")


@dataclass(frozen=True, slots=True)
class Page:
    """An address: who may ask for it (nobody named: also those who are not logged in)."""

    method: str
    path: str
    handler: Handler
    kinds: tuple[Kind, ...] = ()


PAGES: tuple[Page, ...] = (
    Page("GET", "/", enter.show_login),
    Page("POST", "/", enter.login),
    Page("POST", "/logout", enter.logout, Everyone),
    Page("GET", "/role", enter.show_roles, ("staff",)),
    Page("POST", "/role", enter.choose_role, ("staff",)),
    Page("GET", "/worklist", show_worklist, ("staff",)),
    Page("GET", "/referral/{id}", referral.show_referral, ("staff", "operator", "open")),
    Page("POST", "/referral/{id}", referral.take_step, ("staff", "operator", "open")),
    Page("GET", "/patient", record.show_patients, _RECORD),
    Page("GET", "/patient/{id}", record.show_record, _RECORD),
    Page("GET", "/patient/{id}/refer", refer.show_form, ("staff",)),
    Page("POST", "/patient/{id}/refer", refer.send_form, ("staff",)),
    Page("GET", "/me", me.show_me, ("patient",)),
    Page("GET", "/me/record", record.show_own, ("patient",)),
    Page("GET", "/me/looked", me.show_looked, ("patient",)),
    Page("GET", "/me/consents/{id}", me.show_withdrawal, ("patient",)),
    Page("POST", "/me/consents/{id}", me.withdraw, ("patient",)),
    Page("GET", "/messages", messages.show_messages, METRICS_KINDS),
    Page("GET", "/messages/{id}", messages.show_message, METRICS_KINDS),
    Page("POST", "/messages/{id}", messages.replay, METRICS_KINDS),
    Page("GET", "/audit", trail.show_trail, ("auditor", "operator", "open")),
)


def nothing(source: str, raw: bytes) -> tuple[()]:
    """Say of no message what it became: the page then names its resources only."""
    return ()


def pages_app(
    server: Server, key: bytes, inbox: Inbox, metrics: Metrics, became: Became = nothing
) -> ASGIApp:
    """Return everything that is not FHIR: pages, `/api`, `/static` and `/metrics`.

    `key` is the site's, of which the words of forms are made; `became` converts a message.
    """
    assets = {each.name: each.read_bytes() for each in _ASSETS.iterdir()}
    passwords = Passwords()
    parts = Parts(server, key, inbox, became, passwords, templates(fingerprint(assets)))
    by_path: dict[str, dict[str, Page]] = {}
    for page in PAGES:
        by_path.setdefault(page.path, {})[page.method] = page
    routes = [
        Route("/metrics", _metrics(server, metrics)),
        Route("/static/{name}", _static(assets)),
        *(Route(p, _endpoint(parts, found), methods=list(found)) for p, found in by_path.items()),
        Mount("/api", limited(api(ApiParts(server, inbox, passwords)))),
        Route("/{rest:path}", _endpoint(parts, {})),
    ]
    return cast(ASGIApp, Starlette(routes=routes))


def templates(version: str) -> Environment:
    """Return the templates: escaped always, and strict about names that are not given."""
    env = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.globals["asset"] = lambda name: f"/static/{name}?{version}"
    return env


def _endpoint(parts: Parts, pages: dict[str, Page]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _begin(parts, request)
        page = pages.get("GET" if request.method == "HEAD" else request.method)
        try:
            response = await _answer(visit, page)
        except Unauthenticated:
            response = _to_login(visit)
        except HubError as error:
            response = error_page(visit, error)
        except Exception as fault:
            log.error("page.failed", path=page.path if page else "", exc_info=fault)
            response = error_page(visit, HubError("unknown"))
        return _finish(visit, response)

    return endpoint


async def _answer(visit: Visit, page: Page | None) -> Response:
    await _identify(visit)
    if page is None:
        raise NotFound("There is no such page.")
    if page.kinds and visit.caller is None:
        raise Unauthenticated("This page is for those who are logged in.")
    if page.kinds and visit.by.kind not in page.kinds:
        raise Forbidden("This page is for others.")
    if page.method == "POST":
        visit.fields = await form(visit.request)
        base = visit.session or visit.browser
        if not is_csrf(visit.parts.key, base, visit.sent("csrf")):
            raise BadRequest(visit.word("error.form"))
    return await page.handler(visit)


async def _identify(visit: Visit) -> None:
    server = visit.server
    now, id = server.clock(), server.new_id()
    if visit.session:
        try:
            visit.caller = await server.callers.authenticate(visit.session, now, id)
            account = await own_account(server, visit.caller)
            visit.has_roles = account is not None and len(account.roles) > 1
            return
        except Unauthenticated:
            visit.session = ""
    if server.settings.open:
        visit.caller = anybody(now, id)


def _begin(parts: Parts, request: Request) -> Visit:
    wanted = request.query_params.get("lang") or request.cookies.get(_LANGUAGE, "")
    visit = Visit(
        parts, request, "en" if wanted == "en" else "zh",
        session="", browser=request.cookies.get(_BROWSER, "") or secrets.token_urlsafe(18),
    )  # fmt: skip
    visit.session = request.cookies.get(enter.cookie_of(visit).name, "")
    return visit


def _to_login(visit: Visit) -> Response:
    path, query = visit.request.url.path, visit.request.url.query
    if path == "/" or visit.request.method != "GET":
        return redirect("/", told="over")
    return redirect("/", told="over", next=f"{path}?{query}" if query else path)


def _finish(visit: Visit, response: Response) -> Response:
    request, secure = visit.request, visit.is_secure
    response.headers.update(HEADERS)
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(
            _LANGUAGE, visit.language, max_age=31_536_000, samesite="lax", secure=secure,
            httponly=True,
        )  # fmt: skip
    if request.cookies.get(_BROWSER) != visit.browser:
        response.set_cookie(_BROWSER, visit.browser, samesite="lax", secure=secure, httponly=True)
    return response


def _static(assets: dict[str, bytes]) -> Callable[[Request], Awaitable[Response]]:
    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets:
            return Response(status_code=404)
        headers = {"Cache-Control": _YEAR, "X-Content-Type-Options": "nosniff"}
        media = _MEDIA.get(Path(name).suffix, "application/octet-stream")
        return Response(assets[name], headers=headers, media_type=media)

    return static


def _metrics(server: Server, metrics: Metrics) -> Callable[[Request], Awaitable[Response]]:
    who = authenticator(server)

    async def exposition(request: Request) -> Response:
        try:
            if (await who(request)).kind not in METRICS_KINDS:
                raise Forbidden("Metrics are the administrator's.")
        except HubError as error:
            return refused(request, error)
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(
            metrics.exposition(), headers={"Cache-Control": "no-store"}, media_type=kind
        )

    return exposition
