"""An issue: what is wrong, where, and what was expected.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One `OperationOutcome.issue`; `code`: an IssueType; `expression`: where, in FHIRPath."""

    code: str
    diagnostics: str
    expression: str = ""
    severity: Severity = "error"
