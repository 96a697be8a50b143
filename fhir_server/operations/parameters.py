"""The body of an operation: Parameters, read with care.

https://hl7.org/fhir/R4/parameters.html
"""

from typing import Any

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.errors import BadRequest

Json = dict[str, Any]


def parameters(body: bytes) -> list[Json]:
    """Return the parameters of a body; none of an empty one. Raises `BadRequest`.

    >>> parameters(b'{"resourceType":"Parameters","parameter":[{"name":"a"}]}')
    [{'name': 'a'}]
    """
    if not body:
        return []
    resource = fhirjson.decode(body)
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise BadRequest("The body of this operation is Parameters.")
    return listed(resource)


def listed(resource: Json) -> list[Json]:
    """Return the parameters of a Parameters resource. Raises `BadRequest`."""
    found = resource.get("parameter", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        words = "A list of objects is expected."
        raise BadRequest(Issue("structure", words, "Parameters.parameter"))
    return found
