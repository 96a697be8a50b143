"""The functions of FHIRPath, by name. https://hl7.org/fhirpath/N1/#functions"""

from conformance.fhirpath.functions import (
    boundaries,
    collections,
    conversion,
    fhir,
    maths,
    services,
    strings,
)
from conformance.fhirpath.functions.table import Function

FUNCTIONS: dict[str, Function] = (
    boundaries.FUNCTIONS
    | collections.FUNCTIONS
    | conversion.FUNCTIONS
    | strings.FUNCTIONS
    | maths.FUNCTIONS
    | fhir.FUNCTIONS
    | services.FUNCTIONS
)
