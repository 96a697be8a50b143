"""Identifiers: their systems are absolute.

https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from typing import Any

from conformance.validation.faults import Faults, wrong
from conformance.validation.primitives import is_absolute

URIS = "urn:ietf:rfc:3986"


def check_identifier(identifier: dict[str, Any]) -> Faults:
    """Check that the system is absolute, and that a value that is a URI is one."""
    system = identifier.get("system")
    if system.__class__ is not str or not system:
        return None
    if not is_absolute(system):
        return wrong("value", system, "an absolute URI as system of the identifier")
    value = identifier.get("value")
    if system == URIS and value.__class__ is str and not is_absolute(value):
        return wrong("value", value, f"an absolute URI, as the system {URIS} says")
    return None
