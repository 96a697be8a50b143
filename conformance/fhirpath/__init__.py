"""FHIRPath, compiled to closures over decoded JSON. https://hl7.org/fhir/R4/fhirpath.html"""

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.expression import Expression, Value, compile
from conformance.fhirpath.nodes import Services

__all__ = ["Expression", "FHIRPathError", "Services", "Value", "compile"]
