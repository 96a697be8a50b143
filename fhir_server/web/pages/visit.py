"""One request to a page: who asks, in which language, with which form; and how it is answered."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, TooLarge
from fhir_server.identity import sessions
from fhir_server.identity.passwords import Passwords
from fhir_server.interactions.server import Server
from fhir_server.web.directory import Language
from fhir_server.web.messages import Became, Inbox
from fhir_server.web.pages.words import word, word_or

FORM_LIMIT = 2 * 1024 * 1024

HOMES = {"staff": "/worklist", "patient": "/me", "admin": "/messages", "auditor": "/audit"}
_OTHERWISE = "/patient"

NAVIGATION: dict[str, tuple[tuple[str, str], ...]] = {
    "staff": (("/worklist", "nav.worklist"), ("/patient", "nav.patients")),
    "patient": (("/me", "nav.me"), ("/me/record", "nav.record"), ("/me/looked", "nav.looked")),
    "admin": (("/messages", "nav.messages"),),
    "auditor": (("/audit", "nav.audit"),),
}
_EVERYWHERE = (
    ("/patient", "nav.patients"),
    ("/messages", "nav.messages"),
    ("/audit", "nav.audit"),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with: the same for all requests."""

    server: Server
    key: bytes
    inbox: Inbox
    became: Became
    passwords: Passwords
    templates: Environment


@dataclass(slots=True)
class Visit:
    """A request to a page.

    `session` is the text of the cookie, `browser` what tells browsers apart that have none: one of
    the two makes the word of its forms. `has_roles` offers to change the role. `fields` are those
    of a form that was sent.
    """

    parts: Parts
    request: Request
    language: Language
    session: str
    browser: str
    caller: Caller | None = None
    has_roles: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def server(self) -> Server:
        """Return the server."""
        return self.parts.server

    @property
    def by(self) -> Caller:
        """Return the caller of a page that demands one."""
        assert self.caller is not None
        return self.caller

    @property
    def is_secure(self) -> bool:
        """Tell whether the browser came over TLS: to this process, or to what stands before it."""
        own = self.server.settings.base_url
        return self.request.url.scheme == "https" or own.startswith("https:")

    @property
    def base(self) -> str:
        """Return the hub's own FHIR base, for the links of what it answers."""
        return self.server.settings.base_url or f"{self.request.base_url}fhir"

    @property
    def csrf(self) -> str:
        """Return the word that the forms of this page carry."""
        return sessions.csrf(self.parts.key, self.session or self.browser)

    def word(self, name: str, /, **given: object) -> str:
        """Return a text in the language of the page."""
        return word(self.language, name, **given)

    def asked(self, name: str) -> str:
        """Return a parameter of the address, empty where it is not given."""
        return self.request.query_params.get(name, "").strip()

    def sent(self, name: str) -> str:
        """Return a field of the form, empty where it is not given."""
        values = self.fields.get(name, [])
        return values[0].strip() if values else ""


def home(caller: Caller) -> str:
    """Return where a caller begins."""
    return HOMES.get(caller.kind, _OTHERWISE)


def render(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    caller = visit.caller
    url = visit.request.url
    other = "en" if visit.language == "zh" else "zh"
    kept = [(k, v) for k, v in visit.request.query_params.multi_items() if k != "lang"]
    html = visit.parts.templates.get_template(template).render(
        t=partial(word, visit.language),
        code=partial(word_or, visit.language),
        lang=visit.language,
        caller=caller,
        has_roles=visit.has_roles,
        csrf=visit.csrf,
        here=url.path,
        switch=f"{url.path}?{urlencode([*kept, ('lang', other)])}",
        navigation=NAVIGATION.get(caller.kind, _EVERYWHERE) if caller else (),
        home=home(caller) if caller else "/",
        is_open=visit.server.settings.open,
        **values,
    )
    return HTMLResponse(html, status)


def redirect(path: str, **params: str) -> Response:
    """Return the answer after a form: see that page. `path` may have a query of its own."""
    query = f"?{urlencode(params)}" if params else ""
    return RedirectResponse(quote(path, safe="/?&=%:") + query, 303)


async def form(request: Request) -> dict[str, list[str]]:
    """Read a form as browsers send it. Raises `TooLarge`, `BadRequest`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            raise TooLarge(f"A form has at most {FORM_LIMIT} bytes.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise BadRequest("The form cannot be read.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


def fingerprint(assets: Mapping[str, bytes]) -> str:
    """Return what changes when an asset does: browsers keep an asset under it for ever."""
    digest = hashlib.sha256()
    for name in sorted(assets):
        digest.update(name.encode() + assets[name])
    return digest.hexdigest()[:12]
