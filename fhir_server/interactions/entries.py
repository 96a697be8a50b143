"""The entries of a batch or transaction become Interactions.

https://hl7.org/fhir/R4/bundle.html#transaction, https://hl7.org/fhir/R4/http.html#transaction
"""

import base64
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.errors import BadRequest, HubError, NotSupported, TooLarge, UnsupportedMedia
from fhir_server.interactions import etag
from fhir_server.interactions.commit import Raced
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.patch import PATCHES
from fhir_server.interactions.query import asked
from fhir_server.interactions.routes import route
from fhir_server.interactions.server import Server

_JSON = "application/fhir+json"


class _Request(msgspec.Struct, rename="camel"):
    method: str = ""
    url: str = ""
    if_none_match: str = ""
    if_modified_since: str = ""
    if_match: str = ""
    if_none_exist: str = ""


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw()
    request: _Request | None = None


class _Typed(msgspec.Struct, rename="camel"):
    resource_type: str = ""


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    type: str = ""
    entry: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Step:
    """One entry: its place in the Bundle, and what it asks for or why it cannot be understood."""

    place: int
    ask: Interaction
    fault: HubError | None = None
    is_head: bool = False

    def told(self, reply: Reply) -> Reply:
        """Return the answer as this entry wants it: HEAD is GET without the body."""
        return replace(reply, body=b"") if self.is_head else reply


Kind = Literal["batch", "transaction"]
_decoder = msgspec.json.Decoder(_Bundle)
_typed = msgspec.json.Decoder(_Typed)


def kind(body: bytes) -> Kind:
    """Return which of the two a Bundle is. Raises `BadRequest`.

    >>> kind(b'{"resourceType":"Bundle","type":"batch"}')
    'batch'
    """
    found = _decode(body)
    if found.resource_type != "Bundle":
        raise BadRequest("A Bundle is expected here; resources are posted to their type.")
    if found.type not in ("batch", "transaction"):
        raise BadRequest(
            Issue("invalid", "Only batches and transactions are processed.", "Bundle.type")
        )
    return "batch" if found.type == "batch" else "transaction"


def steps(server: Server, ask: Interaction) -> list[Step]:
    """Return what the entries of a Bundle ask for. Raises `TooLarge`."""
    entries = _decode(ask.body).entry
    limit = server.settings.entry_limit
    if len(entries) > limit:
        raise TooLarge(f"The Bundle has {len(entries)} entries; the hub takes {limit}.")
    return [_step(server, ask, place, entry) for place, entry in enumerate(entries)]


def at(place: int, fault: HubError) -> HubError:
    """Return the error with its issues' expressions put under the entry that it arose in."""
    if isinstance(fault, Raced):
        return fault
    where = f"Bundle.entry[{place}]"
    issues = [
        replace(
            issue,
            expression=f"{where}.resource.{issue.expression.partition('.')[2]}".rstrip(".")
            if issue.expression
            else where,
        )
        for issue in fault.issues
    ]
    return type(fault)(*issues)


def _decode(body: bytes) -> _Bundle:
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as fault:
        raise BadRequest(f"The body is not a Bundle that can be read: {fault}") from None


def _step(server: Server, outer: Interaction, place: int, entry: _Entry) -> Step:
    try:
        ask = _ask(server, outer, entry)
        return Step(
            place, ask, is_head=entry.request is not None and entry.request.method == "HEAD"
        )
    except HubError as fault:
        return Step(place, Interaction("read"), fault)


def _ask(server: Server, outer: Interaction, entry: _Entry) -> Interaction:
    request = entry.request
    url = "" if request is None else request.url or _implied(request, entry.resource)
    if request is None or not request.method or not url:
        raise BadRequest("The entry needs request.method and request.url.")
    path, _, query = url.removeprefix(outer.base + "/").partition("?")
    if "://" in path:
        raise BadRequest(f"{url[:200]!r} is not an address of this hub.")
    ask = route(request.method, path, server.definitions.resource_types)
    if ask.name in ("batch", "capabilities", "job", "cancel"):
        raise NotSupported(f"{ask.name} inside a Bundle is not supported.")
    ask = replace(
        ask,
        base=outer.base,
        fullurl=entry.full_url,
        returns=outer.returns or "minimal",
        strict=outer.strict,
        query=query,
        params=asked(query),
        if_none_match=request.if_none_match,
        if_modified_since=request.if_modified_since,
        if_match=etag.version(request.if_match) if request.if_match else None,
        if_none_exist=request.if_none_exist,
    )
    return _with_body(ask, entry, request.method)


def _implied(request: _Request, resource: msgspec.Raw) -> str:
    """Return the type of what is posted: some clients write no url where they create.

    Of a Bundle it is not known whether it is to be kept or processed.
    """
    if request.method != "POST" or not bytes(resource):
        return ""
    try:
        type = _typed.decode(resource).resource_type
    except msgspec.DecodeError:
        return ""
    return type if type != "Bundle" else ""


def _with_body(ask: Interaction, entry: _Entry, method: str) -> Interaction:
    if method not in ("POST", "PUT", "PATCH"):
        return ask
    body = bytes(entry.resource)
    if ask.name.startswith("search"):
        if body:
            raise BadRequest("A search inside a Bundle has its parameters in the address.")
        return ask
    if not body:
        if ask.name == "operation":
            return ask
        raise BadRequest(f"{method} needs a resource.")
    if ask.name == "patch":
        body, media = _patch_of(body)
        return replace(ask, body=body, content_type=media)
    return replace(ask, body=body, content_type=_JSON)


def _patch_of(body: bytes) -> tuple[bytes, str]:
    """Return the patch of an entry and its type: Parameters as they are, or what a Binary carries.

    https://hl7.org/fhir/R4/http.html#jsonpatch-transaction
    """
    resource: Any = fhirjson.decode(body)
    type = resource.get("resourceType") if isinstance(resource, dict) else None
    if type == "Parameters":
        return body, _JSON
    if type != "Binary":
        raise BadRequest("PATCH inside a Bundle takes Parameters, or a Binary with the patch.")
    media = resource.get("contentType")
    if media not in PATCHES:
        raise UnsupportedMedia(f"The Binary of a PATCH is one of {', '.join(PATCHES)}.")
    try:
        patch = base64.b64decode(resource.get("data", ""), validate=True)
    except (ValueError, TypeError):
        raise BadRequest("The data of the Binary is not base64.") from None
    return patch, media
