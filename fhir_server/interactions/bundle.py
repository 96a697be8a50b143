"""Bundles put together from bytes: resources are spliced in as they are stored.

https://hl7.org/fhir/R4/bundle.html
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.interactions.interaction import FHIR_JSON, Reply
from fhir_server.interactions.outcome import outcome
from fhir_server.interactions.subset import Content
from fhir_server.model import Key, Version
from fhir_server.store.explanation import Total

PHRASES = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}

_NOTHING: Mapping[str, Any] = MappingProxyType({})

ESTIMATED = "https://fhir-hub.example/StructureDefinition/estimated-total"
_ESTIMATED = {"extension": [{"url": ESTIMATED, "valueBoolean": True}]}

Links = Sequence[tuple[str, str]]


def bundle(
    type: str, entries: Iterable[bytes], *, links: Links = (), total: Total | int | None = None
) -> bytes:
    """Return a Bundle of entries that are JSON already; a total that is not exact is marked."""
    parts = [b'{"resourceType":"Bundle","type":', fhirjson.encode(type)]
    if total is not None:
        number, is_exact = total if isinstance(total, Total) else (total, True)
        parts += (b',"total":', str(number).encode())
        parts += () if is_exact else (b',"_total":', fhirjson.encode(_ESTIMATED))
    if links:
        told = [{"relation": relation, "url": url} for relation, url in links]
        parts += (b',"link":', fhirjson.encode(told))
    inside = b",".join(entries)
    if inside:
        parts += (b',"entry":[', inside, b"]")
    parts.append(b"}")
    return b"".join(parts)


def found(
    base: str,
    version: Version,
    mode: str,
    content: Content = fhirjson.whole,
    more: Mapping[str, Any] = _NOTHING,
) -> bytes:
    """Return the entry of a searchset; `mode` is match or include, `content` shows the version,
    `more` is told of it besides."""
    return b"".join(
        (
            b'{"fullUrl":',
            fhirjson.encode(f"{base}/{version.key}"),
            b',"resource":',
            content(version),
            b',"search":',
            fhirjson.encode({"mode": mode, **more}),
            b"}",
        )
    )


def found_part(base: str, key: Key, id: str, resource: bytes) -> bytes:
    """Return the entry of a searchset that is a resource contained in another."""
    url = fhirjson.encode(f"{base}/{key}#{id}")
    return b'{"fullUrl":' + url + b',"resource":' + resource + b',"search":{"mode":"match"}}'


def outcome_entry(issues: Sequence[Issue]) -> bytes:
    """Return the entry of a searchset that is an outcome; it has no address, so a URN names it.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl
    """
    resource = fhirjson.encode(outcome(issues))
    urn = uuid5(NAMESPACE_URL, resource.hex()).urn
    url = fhirjson.encode(urn)
    return b'{"fullUrl":' + url + b',"resource":' + resource + b',"search":{"mode":"outcome"}}'


def past(base: str, version: Version, content: Content = fhirjson.whole) -> bytes:
    """Return the entry of a history: what was asked, what was answered, and the resource unless
    deleted.

    https://hl7.org/fhir/R4/http.html#history
    """
    key, method = version.key, version.method
    status = 201 if version.vid == 1 else 204 if method == "DELETE" else 200
    about = {
        "request": {"method": method, "url": key.type if method == "POST" else str(key)},
        "response": {
            "status": f"{status} {PHRASES[status]}",
            "etag": f'W/"{version.vid}"',
            "lastModified": fhirjson.instant(version.updated),
        },
    }
    parts = [b'{"fullUrl":', fhirjson.encode(f"{base}/{key}")]
    if version.body is not None:
        parts += (b',"resource":', content(version))
    parts += (b",", fhirjson.encode(about)[1:])
    return b"".join(parts)


def _as_binary(reply: Reply) -> bytes:
    """Return what is no resource as one, since an entry holds nothing else.

    https://hl7.org/fhir/R4/binary.html
    """
    data = b64encode(reply.body).decode()
    content = {"contentType": reply.content_type, "data": data}
    return fhirjson.encode({"resourceType": "Binary"} | content)


def answered(base: str, reply: Reply) -> bytes:
    """Return the entry of a batch-response or transaction-response."""
    told: dict[str, str] = {"status": f"{reply.status} {PHRASES[reply.status]}"}
    if reply.created:
        told["location"] = f"{reply.key}/_history/{reply.vid}"
    if reply.vid is not None:
        told["etag"] = f'W/"{reply.vid}"'
    if reply.updated is not None:
        told["lastModified"] = fhirjson.instant(reply.updated)
    response = fhirjson.encode(told)
    if reply.content_type != FHIR_JSON:
        reply = replace(reply, body=_as_binary(reply))
    if not reply.body:
        return b'{"response":' + response + b"}"
    if reply.body.startswith(b'{"resourceType":"OperationOutcome"'):
        return b'{"response":' + response[:-1] + b',"outcome":' + reply.body + b"}}"
    name = b""
    if reply.key is not None:
        name = b'"fullUrl":' + fhirjson.encode(f"{base}/{reply.key}") + b","
    return b"{" + name + b'"resource":' + reply.body + b',"response":' + response + b"}"
