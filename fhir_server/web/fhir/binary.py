"""Binary as what it holds: taken from any body, and given as what its content type says.

https://hl7.org/fhir/R4/binary.html#rest

1. A body that is not FHIR becomes a Binary; `X-Security-Context` its securityContext.
2. Read without a FHIR format in Accept, a Binary is its content; with one, it is the resource.
3. Content is sent in parts, never as a page of the hub's own: sandboxed, and to be saved.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

from fhir_server import fhirjson
from fhir_server.errors import NotAcceptable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.web.fhir import negotiate

Headers = list[tuple[bytes, bytes]]

_FHIR = frozenset(
    {
        negotiate.FHIR_JSON,
        negotiate.OLD_JSON,
        "application/fhir+xml",
        "application/xml+fhir",
        "application/fhir+turtle",
    }
)
_GENERAL = frozenset({"application/json", "text/json"})
_MEDIA = re.compile(r"[\w.+\-]+/[\w.+\-]+(?:; ?[\w.\-]+=[\w.\-\"+ ]+)*", re.ASCII)
_UNKNOWN = "application/octet-stream"
_IN = 3 * 256 * 1024
_OUT = 4 * 256 * 1024
_SAFE: Headers = [
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
]


def is_content(ask: Interaction, media: str) -> bool:
    """Tell whether a body is the content of a Binary: anything but FHIR, and but plain JSON, in
    which FHIR may come as well."""
    writes = ask.type == "Binary" and ask.name in ("create", "update")
    return writes and media not in _FHIR | _GENERAL and media != ""


def made(ask: Interaction, media: str, context: str, content: bytes) -> bytes:
    """Return the Binary that holds a body, as JSON. `context` is what its access follows."""
    told: dict[str, Any] = {"resourceType": "Binary"}
    if ask.id:
        told["id"] = ask.id
    told["contentType"] = media
    if context:
        told["securityContext"] = {"reference": context}
    parts = [fhirjson.encode(told)[:-1], b',"data":"']
    parts += (
        base64.b64encode(content[start : start + _IN]) for start in range(0, len(content), _IN)
    )
    return b"".join([*parts, b'"}']) if content else fhirjson.encode(told)


def wants_content(ask: Interaction, accept: str, format: str | None) -> bool:
    """Tell whether a read asks for the content of a Binary.

    "When a read request is made for the binary resource that doesn't explicitly specify the FHIR
    content types …, then the content should be returned using the content type stated in the
    resource."
    """
    if ask.type != "Binary" or ask.name not in ("read", "vread") or format is not None:
        return False
    return not negotiate.names_fhir(accept)


def content(reply: Reply, accept: str) -> "Content | None":
    """Return the content of a Binary that was read; None where only its JSON is accepted.

    Raises `NotAcceptable`.
    """
    found = Content(fhirjson.decode(reply.body))
    plain = found.media.partition(";")[0].strip().lower()
    if not accept.strip() or negotiate.weight(accept, plain) > 0:
        return found
    if any(negotiate.weight(accept, media) > 0 for media in _GENERAL):
        return None
    raise NotAcceptable(f"The Binary is {plain}; the request accepts {accept[:200]!r}.")


class Content:
    """What a Binary holds, in parts."""

    def __init__(self, resource: dict[str, Any]) -> None:
        """Take the resource."""
        media = str(resource.get("contentType", _UNKNOWN))
        self.media = media if _MEDIA.fullmatch(media) else _UNKNOWN
        self._text = "".join(str(resource.get("data", "")).split())
        self._context = str(resource.get("securityContext", {}).get("reference", ""))

    @property
    def size(self) -> int:
        """Return the length of the content in bytes."""
        return len(self._text) // 4 * 3 - self._text[-2:].count("=")

    def headers(self) -> Headers:
        """Return the headers that tell what it is, and keep browsers from running it."""
        told: Headers = [(b"content-type", self.media.encode()), *_SAFE]
        if self._context.isascii() and self._context.isprintable() and self._context:
            told.append((b"x-security-context", self._context.encode()))
        return told

    def parts(self) -> Iterator[bytes]:
        """Yield the content, some hundred kilobytes at a time."""
        for start in range(0, len(self._text), _OUT):
            yield base64.b64decode(self._text[start : start + _OUT])
