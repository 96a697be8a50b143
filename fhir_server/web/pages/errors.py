"""Errors as pages, in the reader's words."""

from starlette.responses import Response

from fhir_server.errors import HubError
from fhir_server.web.pages.visit import Visit, render
from fhir_server.web.pages.words import WORDS

_SHOWN_AS = {405: 404, 410: 404, 412: 409, 415: 400}
"""What a reader of pages need not tell apart. A page that is gone is as one that never was."""

_EXPLAINED = (400, 409, 413, 422)
"""Where the issues are the reader's own; elsewhere they might tell what is hidden."""


def error_page(visit: Visit, error: HubError) -> Response:
    """Return the page of an error."""
    status = _SHOWN_AS.get(error.status, error.status)
    known = status if f"error.{status}" in WORDS else 500
    request = visit.caller.request if visit.caller else ""
    lead = visit.word(f"error.{known}.lead", request=request)
    issues = [each.diagnostics for each in error.issues] if known in _EXPLAINED else []
    title = visit.word(f"error.{known}")
    return render(visit, "error.html", status, title=title, lead=lead, issues=issues)
