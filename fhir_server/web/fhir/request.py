"""An HTTP request becomes an Interaction.

https://hl7.org/fhir/R4/http.html
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from fhir_server.errors import BadRequest, UnsupportedMedia
from fhir_server.interactions import etag
from fhir_server.interactions.breath import aside
from fhir_server.interactions.interaction import GRAPHQL, Interaction, Params
from fhir_server.interactions.patch import PATCHES
from fhir_server.interactions.query import asked
from fhir_server.web.fhir import binary, negotiate, strict

_RETURNS = {"representation", "minimal", "OperationOutcome"}
_BODILESS = frozenset(
    {
        "read",
        "vread",
        "delete",
        "history-instance",
        "history-type",
        "history-system",
        "capabilities",
        "job",
        "cancel",
    }
)

Headers = Mapping[bytes, bytes]


def text(headers: Headers, name: bytes) -> str:
    """Return a header's value, empty if it is not there."""
    return headers.get(name, b"").decode("latin-1")


def params(query: bytes) -> Params:
    """Return the parameters of a query string or a form, without those that the edge follows."""
    return asked(_utf8(query))


def with_headers(ask: Interaction, headers: Headers, query: bytes) -> Interaction:
    """Return the interaction with its parameters and what its headers say."""
    changes: dict[str, Any] = {}
    if query:
        changes["query"] = _utf8(query)
        changes["params"] = params(query)
    if b"if-match" in headers:
        changes["if_match"] = etag.version(text(headers, b"if-match"))
    if b"prefer" in headers:
        changes |= prefer(text(headers, b"prefer"))
    for name in ("if_none_match", "if_modified_since"):
        header = name.replace("_", "-").encode()
        if header in headers:
            changes[name] = text(headers, header)
    if b"if-none-exist" in headers:
        changes["if_none_exist"] = _utf8(headers[b"if-none-exist"])
    return replace(ask, **changes) if changes else ask


async def with_body(ask: Interaction, headers: Headers, body: bytes) -> Interaction:
    """Return the interaction with its body, of a content type that it takes.

    A form's parameters follow those of the query. Raises `UnsupportedMedia`, `BadRequest`.
    """
    if ask.name in _BODILESS or (not body and ask.name in _FORMS):
        return ask
    if binary.is_content(ask, text(headers, b"content-type").partition(";")[0].strip().lower()):
        return await _with_content(ask, headers, body)
    media = negotiate.media_type(text(headers, b"content-type"))
    if media == negotiate.FORM and ask.name in _FORMS:
        query = "&".join(filter(None, (ask.query, _utf8(body))))
        return replace(ask, params=ask.params + params(body), query=query)
    if media == GRAPHQL and ask.operation == "graphql":
        return replace(ask, body=body, content_type=media)
    if ask.name in _SEARCHES:
        if body:
            raise UnsupportedMedia(f"A search by POST sends {negotiate.FORM}.")
        return ask
    if ask.name == "patch":
        _require_patch(media)
    else:
        negotiate.require_json(media)
    # "Implementations … MAY ignore the presence of a byte order mark": RFC 8259, 8.1.
    body = body.removeprefix(codecs.BOM_UTF8)
    await aside(len(body), strict.check, body)
    return replace(ask, body=body, content_type=media)


async def _with_content(ask: Interaction, headers: Headers, body: bytes) -> Interaction:
    media, context = text(headers, b"content-type"), text(headers, b"x-security-context")
    made = await aside(len(body), binary.made, ask, media, context, body)
    return replace(ask, body=made, content_type=negotiate.FHIR_JSON)


def _utf8(words: bytes) -> str:
    """Return a query or form; what clients did not percent-encode is UTF-8."""
    try:
        return words.decode()
    except UnicodeDecodeError as fault:
        raise BadRequest(f"Byte {fault.start} of the parameters is not UTF-8.") from None


_SEARCHES = frozenset({"search-type", "search-compartment", "search-system"})
_FORMS = _SEARCHES | {"operation"}


def prefer(header: str) -> dict[str, Any]:
    """Return what a Prefer header asks for, as fields of an Interaction; what is unknown is
    ignored.

    https://www.rfc-editor.org/rfc/rfc7240

    >>> prefer("return=minimal, handling=lenient")
    {'returns': 'minimal', 'strict': False}
    """
    told = dict(part.strip().partition("=")[::2] for part in re.split("[,;]", header))
    found: dict[str, Any] = {"later": True} if "respond-async" in told else {}
    returns = told.get("return", "").strip('"')
    if returns in _RETURNS:
        found["returns"] = cast(Literal["representation", "minimal", "OperationOutcome"], returns)
    if told.get("handling", "").strip('"') == "lenient":
        found["strict"] = False
    return found


def _require_patch(media: str) -> None:
    if media not in PATCHES:
        raise UnsupportedMedia(f"PATCH takes one of {', '.join(PATCHES)}.")
