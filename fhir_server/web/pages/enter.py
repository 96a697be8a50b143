"""Log in, choose a role, log out."""

from starlette.responses import Response

from fhir_server.errors import Unauthenticated
from fhir_server.identity.sessions import Cookie
from fhir_server.web import sign_in
from fhir_server.web.pages.visit import Visit, home, redirect, render


async def show_login(visit: Visit) -> Response:
    """Show the login, or lead on who is logged in."""
    if visit.caller is not None:
        return redirect(home(visit.caller))
    told = visit.asked("told")
    return render(visit, "login.html", told=told, next=_onward(visit.asked("next")), name="")


async def login(visit: Visit) -> Response:
    """Open a session. A failure is told in words that do not say which part was wrong."""
    name, onward = visit.sent("login"), _onward(visit.sent("next"))
    password = visit.fields.get("password", [""])[0]
    try:
        account = await sign_in.account_of(visit.server, visit.parts.passwords, name, password)
        role = account.roles[0] if account.roles else ""
        session = await sign_in.open_session(visit.server, account, role)
    except Unauthenticated:
        return render(visit, "login.html", 401, told="failed", next=onward, name=name)
    several = len(account.roles) > 1
    response = redirect("/role" if several else onward or home(session.caller))
    _keep(visit, response, session.text)
    return response


async def show_roles(visit: Visit) -> Response:
    """List the roles that the account may act in."""
    account = await sign_in.own_account(visit.server, visit.by)
    found = []
    if account is not None:
        found = await sign_in.choices(visit.server, account, visit.language)
    return render(visit, "role.html", choices=found)


async def choose_role(visit: Visit) -> Response:
    """Go on in another role: a session of its own takes the place of this one."""
    account = await sign_in.own_account(visit.server, visit.by)
    if account is None:
        raise Unauthenticated("This session has no account.")
    session = await sign_in.open_session(visit.server, account, visit.sent("role"))
    await sign_in.close_session(visit.server, visit.by, visit.session)
    response = redirect(home(session.caller))
    _keep(visit, response, session.text)
    return response


async def logout(visit: Visit) -> Response:
    """End the session."""
    await sign_in.close_session(visit.server, visit.by, visit.session)
    response = redirect("/", told="bye")
    cookie = cookie_of(visit)
    response.delete_cookie(
        cookie.name, cookie.path, secure=cookie.secure, httponly=cookie.http_only, samesite="lax"
    )
    return response


def cookie_of(visit: Visit) -> Cookie:
    """Return the session cookie's name and flags for this connection."""
    return Cookie(secure=visit.is_secure)


def _keep(visit: Visit, response: Response, text: str) -> None:
    cookie = cookie_of(visit)
    response.set_cookie(
        cookie.name, text, path=cookie.path, secure=cookie.secure, httponly=cookie.http_only,
        samesite="lax", max_age=visit.server.settings.session_minutes * 60,
    )  # fmt: skip


def _onward(path: str) -> str:
    """Return where to go after the login: a path of this hub and nothing else.

    >>> _onward("/patient/1"), _onward("//elsewhere.example"), _onward("https://elsewhere.example")
    ('/patient/1', '', '')
    """
    plain = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if plain else ""
