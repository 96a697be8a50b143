"""Issues become an OperationOutcome: the one place, for HTTP answers and for Bundle entries.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.errors import HubError


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return the OperationOutcome that tells these issues.

    >>> outcome([Issue("not-found", "There is no Patient/1.")])["issue"][0]["code"]
    'not-found'
    """
    return {"resourceType": "OperationOutcome", "issue": [_issue(each) for each in issues]}


def refusal(error: HubError) -> bytes:
    """Return the OperationOutcome of an error as JSON."""
    return fhirjson.encode(outcome(error.issues or (Issue(error.code, type(error).__name__),)))


def done(words: str) -> bytes:
    """Return the OperationOutcome of what went well, as JSON."""
    return fhirjson.encode(outcome([Issue("informational", words, severity="information")]))


def _issue(issue: Issue) -> dict[str, Any]:
    told: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "diagnostics": issue.diagnostics,
    }
    if issue.expression:
        told["expression"] = [issue.expression]
    return told
