"""An interaction is a value: an HTTP request and a Bundle entry both become one.

https://hl7.org/fhir/R4/http.html
"""

from dataclasses import dataclass
from typing import Literal

from fhir_server.model import Key

Name = Literal[
    "read",
    "vread",
    "history-instance",
    "history-type",
    "history-system",
    "create",
    "update",
    "patch",
    "delete",
    "search-type",
    "search-compartment",
    "search-system",
    "capabilities",
    "batch",
    "transaction",
    "operation",
    "job",
    "cancel",
]

Params = tuple[tuple[str, str], ...]

FHIR_JSON = "application/fhir+json"
GRAPHQL = "application/graphql"
"""The media type of a query that is the body of `$graphql` by itself."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One FHIR interaction, free of HTTP.

    `params` are the decoded query parameters in their order (a POST search's form is among them),
    `query` the raw query text for the audit. `body` is the request's bytes, `content_type` without
    parameters. `if_match` is the vid of the ETag, `returns` is `Prefer: return=…`, empty
    where the client did not say, `strict` is `Prefer: handling=strict` (the default). A
    compartment search has `type` searched, `compartment` the key. `fullurl` is the Bundle entry's.
    `base` is the hub's own FHIR base, for links. `safe` says that an operation was asked for by
    GET, and may change nothing. `later` is `Prefer: respond-async`. A `job` or its `cancel` has
    the job's `id`.
    """

    name: Name
    type: str = ""
    id: str = ""
    vid: int | None = None
    operation: str = ""
    compartment: Key | None = None
    params: Params = ()
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    if_match: int | None = None
    if_none_match: str = ""
    if_modified_since: str = ""
    if_none_exist: str = ""
    returns: Literal["", "representation", "minimal", "OperationOutcome"] = ""
    strict: bool = True
    fullurl: str = ""
    base: str = ""
    safe: bool = False
    later: bool = False

    @property
    def key(self) -> Key:
        """Return the key of an instance interaction."""
        return Key(self.type, self.id)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an interaction answers; `web.fhir` writes it as HTTP, `transaction` as a Bundle entry.

    `body` is FHIR JSON or empty. `key`, `vid` and `updated` (milliseconds) become Location, ETag
    and Last-Modified; `created` says that Location is due. `patients` are those whose data the
    reply tells of, for the audit; `audited` says that the audit row is already committed. `headers`
    are others that it has over HTTP, by their names in lower case.
    """

    status: int
    body: bytes = b""
    key: Key | None = None
    vid: int | None = None
    updated: int | None = None
    created: bool = False
    patients: tuple[str, ...] = ()
    audited: bool = False
    content_type: str = FHIR_JSON
    headers: tuple[tuple[str, str], ...] = ()
