"""One request on its way to its answer: what is known of it so far.

https://www.rfc-editor.org/rfc/rfc9110
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_server.authz.caller import Caller
from fhir_server.errors import AddressTooLong, BadRequest, HeadTooLarge, Unauthenticated
from fhir_server.interactions import query
from fhir_server.interactions.interaction import Interaction
from fhir_server.settings import Settings
from fhir_server.web.fhir import negotiate, request
from fhir_server.web.fhir.response import Form

_REQUEST_ID = re.compile(rb"[A-Za-z0-9\-.]{1,64}")
_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]{1,4096}=*)", re.IGNORECASE)
_LISTS = frozenset(
    {b"accept", b"accept-encoding", b"if-none-match", b"prefer", b"cookie", b"vary", b"via"}
)
"""Headers that may come several times: they are one list.
https://www.rfc-editor.org/rfc/rfc9110#section-5.3"""
_ONCE = frozenset(
    {b"authorization", b"content-type", b"content-encoding", b"host", b"if-match",
     b"if-none-exist", b"x-security-context"}
)  # fmt: skip


@dataclass(slots=True)
class Call:
    """One request. `twice` names a header that came twice and must not, `size` is the head's."""

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    twice: bytes
    size: int
    id: str
    base: str
    started: float = field(default_factory=time.perf_counter)
    form: Form = field(default_factory=Form)
    format: str | None = None
    ask: Interaction | None = None
    caller: Caller | None = None

    @property
    def accept(self) -> str:
        """Return the Accept header."""
        return request.text(self.headers, b"accept")

    def check(self, settings: Settings) -> None:
        """Raise where the head is beyond its limits or contradicts itself."""
        if len(self.path) + len(self.query) > settings.url_limit:
            most = settings.url_limit
            raise AddressTooLong(f"The address has more than {most} bytes; POST to _search.")
        if self.size > settings.header_limit:
            raise HeadTooLarge(f"The headers have more than {settings.header_limit} bytes.")
        if self.twice:
            raise BadRequest(f"The header {self.twice.decode('latin-1')} stands twice.")

    def settle_form(self) -> None:
        """Find out how the client wants its answer. Raises `BadRequest`."""
        formats: dict[str, str] = {}
        if b"_format=" in self.query or b"_pretty=" in self.query:
            formats = dict(query.params(self.query.decode("latin-1")))
        self.format = formats.get("_format")
        self.form = Form(
            head=self.method == "HEAD",
            pretty=formats.get("_pretty", "false") == "true",
            coding=negotiate.coding(request.text(self.headers, b"accept-encoding")),
            headers=self.form.headers,
        )

    def check_acceptable(self) -> None:
        """Raise `NotAcceptable` where FHIR JSON is not what the client takes."""
        if self.format is not None:
            negotiate.accept_format(self.format)
        else:
            negotiate.accept(self.accept)

    def token(self) -> str:
        """Return the bearer token, empty if none was sent. Raises `Unauthenticated`."""
        header = request.text(self.headers, b"authorization")
        if not header:
            return ""
        found = _BEARER.fullmatch(header.strip())
        if not found:
            raise Unauthenticated("The Authorization header has no bearer token.")
        return found[1]


def gathered(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], bytes, int]:
    """Return headers by name, the name of one that came twice and must not, and their size."""
    headers: dict[bytes, bytes] = {}
    twice, size = b"", 0
    for name, value in pairs:
        size += len(name) + len(value) + 4
        if name not in headers:
            headers[name] = value
        elif name in _LISTS:
            headers[name] += b", " + value
        elif name in _ONCE and headers[name] != value:
            twice = name
    return headers, twice, size


def request_id(headers: dict[bytes, bytes]) -> str:
    """Return a request's own id, empty where it has none that is well formed."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else ""
