"""Validator: the structural rules of R4, compiled to closures, checked in one pass.

https://hl7.org/fhir/R4/validation.html
"""

from typing import Any

from conformance.definitions import Definitions
from conformance.issues import Issue
from conformance.validation.checks import Checks
from conformance.validation.faults import Fault


class Validator:
    """Validates resources; what it compiles for a type, it keeps for as long as it lives."""

    def __init__(self, definitions: Definitions) -> None:
        self._checks = Checks(definitions)

    def validate(self, resource: Any) -> list[Issue]:
        """All problems of a JSON value that should be a resource; none: it is valid.

        Numbers should be int or Decimal. Never raises, whatever the value.
        """
        try:
            found = self._checks.resource(resource)
        except RecursionError:
            return [Issue("too-costly", "found more levels of nesting than can be checked")]
        name = root_name(resource)
        return [issue(name, each) for each in found or ()]


def root_name(resource: Any) -> str:
    """What paths begin with: the type of the resource, where it has one."""
    stated = resource.get("resourceType") if isinstance(resource, dict) else None
    return stated if isinstance(stated, str) and stated else "Resource"


def issue(name: str, found: Fault) -> Issue:
    """A fault as an issue on the resource."""
    return Issue(found.code, found.text, name + found.path)
