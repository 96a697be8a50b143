"""Literals and named constants, as nodes.

https://hl7.org/fhirpath/N1/#literals, https://hl7.org/fhir/R4/fhirpath.html#vars
"""

from decimal import Decimal

from conformance.fhirpath import tree
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import Node, Nodes, boolean, string
from conformance.fhirpath.quantity import literal_unit, quantity
from conformance.fhirpath.temporal import parse

CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def constant(name: str) -> Node | None:
    """What `%name` always stands for; None for a name that is handed in."""
    if name in CONSTANTS:
        return string(CONSTANTS[name])
    for prefix, url in PREFIXES.items():
        if name.startswith(prefix):
            return string(url + name.removeprefix(prefix))
    return None


def literal(found: tree.Literal) -> Nodes:
    """A literal as nodes; raises FHIRPathError for a date or time that does not exist."""
    match found.type:
        case "":
            return []
        case "Boolean":
            return boolean(found.text == "true")
        case "Integer":
            return [("System.Integer", int(found.text), None)]
        case "Decimal":
            return [("System.Decimal", Decimal(found.text), None)]
        case "Quantity":
            return [quantity(Decimal(found.text), literal_unit(found.unit))]
        case "String":
            return [string(found.text)]
    text = found.text.removesuffix("T")
    if parse(text) is None:
        raise FHIRPathError(f"{found.text} does not exist", found.at)
    return [(f"System.{found.type}", text, None)]
