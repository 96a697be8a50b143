"""Every error that a request can end in, and the one table that turns it into a status.

HubError
├── BadRequest          400  the request cannot be understood
├── Unauthenticated     401  no or no valid token
├── Forbidden           403  the caller may not do this at all (never: to this record)
├── NotFound            404  absent, or hidden from this caller: the same answer
├── NotAllowed          405  no such interaction here
├── NotAcceptable       406  no representation that the client accepts
├── Conflict            409  the record's state forbids it: an illegal referral step, a lost race
├── Gone                410  deleted, and the caller was allowed to see it
├── PreconditionFailed  412  If-Match, If-None-Exist
│   ├── AlreadyMatched  412  a record that matches If-None-Exist came meanwhile
│   └── Outdated        412  the search parameters have changed meanwhile
├── TooLarge            413  body, entries
├── AddressTooLong      414  the address
├── UnsupportedMedia    415  a body that is not FHIR JSON
├── Unprocessable       422  a resource that breaks the rules
├── HeadTooLarge        431  the headers
├── NotSupported        501  part of FHIR that this hub does not do yet
└── Busy                503  try again later; nothing was written
    ├── TooCostly       503  a query went past its time limit
    └── BeingIndexed    503  a search parameter is not ready to be asked for
"""

from conformance.issues import Issue
from fhir_server.model import Key


class HubError(Exception):
    """A request ends here, with these issues."""

    status = 500
    code = "exception"

    def __init__(self, *problems: str | Issue) -> None:
        """Take each problem as an Issue, or as words that become one with the class's code."""
        self.issues = tuple(Issue(self.code, p) if isinstance(p, str) else p for p in problems)
        super().__init__("; ".join(issue.diagnostics for issue in self.issues))


class BadRequest(HubError):
    """The request cannot be understood."""

    status, code = 400, "invalid"


class Unauthenticated(HubError):
    """There is no token, or none that holds."""

    status, code = 401, "login"


class Forbidden(HubError):
    """The caller may not do this at all."""

    status, code = 403, "forbidden"


class NotFound(HubError):
    """The record is absent, or hidden from this caller."""

    status, code = 404, "not-found"


class NotAllowed(HubError):
    """There is no such interaction here."""

    status, code = 405, "not-supported"


class NotAcceptable(HubError):
    """The client accepts nothing that the hub can send."""

    status, code = 406, "not-supported"


class Conflict(HubError):
    """The state of the record forbids this."""

    status, code = 409, "conflict"


class Gone(HubError):
    """The record is deleted."""

    status, code = 410, "deleted"


class PreconditionFailed(HubError):
    """An If-Match, or an `expect` of a commit, is not met."""

    status, code = 412, "conflict"

    def __init__(self, *problems: str | Issue, key: Key | None = None) -> None:
        """Say also which record it was, for the one who retries."""
        super().__init__(*problems)
        self.key = key


class AlreadyMatched(PreconditionFailed):
    """A record that matches If-None-Exist came meanwhile."""


class Outdated(PreconditionFailed):
    """The search parameters that a write was indexed by have changed meanwhile."""


class TooLarge(HubError):
    """The request is larger than the hub takes."""

    status, code = 413, "too-long"


class AddressTooLong(HubError):
    """The address is longer than the hub takes."""

    status, code = 414, "too-long"


class HeadTooLarge(HubError):
    """The headers are larger than the hub takes."""

    status, code = 431, "too-long"


class UnsupportedMedia(HubError):
    """The body is of a type that the hub does not take here."""

    status, code = 415, "not-supported"


class Unprocessable(HubError):
    """The resource breaks the rules."""

    status, code = 422, "processing"


class NotSupported(HubError):
    """A part of FHIR that this hub does not do yet."""

    status, code = 501, "not-supported"


class Busy(HubError):
    """The hub cannot do it now; nothing was written."""

    status, code = 503, "transient"
    retry_after = 1


class TooCostly(Busy):
    """A query went past its time limit."""

    code = "too-costly"


class BeingIndexed(Busy):
    """A search parameter is asked for while records are still being indexed by it."""

    retry_after = 10
