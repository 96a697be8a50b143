"""Errors of the JSON API as problem details. https://www.rfc-editor.org/rfc/rfc9457"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from conformance.issues import Issue
from fhir_server.errors import HubError
from fhir_server.log import get_logger

HEADERS = {"Cache-Control": "no-store"}

log = get_logger("api")


def problem(status: int, issues: Sequence[Issue], more: dict[str, Any] | None = None) -> Response:
    """Return the answer that tells of issues: each `code`, `diagnostics` and `expression`."""
    told = [
        {"code": each.code, "diagnostics": each.diagnostics, "expression": each.expression}
        for each in issues
    ]
    content = {"title": HTTPStatus(status).phrase, "status": status, "issues": told}
    headers = HEADERS | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return JSONResponse(content | (more or {}), status, headers, "application/problem+json")


def refused(request: Request, error: Exception) -> Response:
    """Answer a HubError."""
    assert isinstance(error, HubError)
    return problem(error.status, error.issues)


def misread(request: Request, error: Exception) -> Response:
    """Answer a body or a parameter that is not of the form that the endpoint takes."""
    assert isinstance(error, RequestValidationError)
    issues = [
        Issue("invalid", each["msg"], ".".join(str(part) for part in each["loc"]))
        for each in error.errors()
    ]
    return problem(400, issues)


def absent(request: Request, error: Exception) -> Response:
    """Answer an address or a method that there is not."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, [Issue("not-found", error.detail)])


def failed(request: Request, error: Exception) -> Response:
    """Answer what nobody expected; it tells nothing, the log does."""
    log.error("api.failed", path=request.url.path, exc_info=error)
    return problem(500, [Issue("exception", "The hub failed to answer; it is in the log.")])
