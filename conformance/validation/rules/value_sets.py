"""Value sets: what their compositions select from.

https://hl7.org/fhir/R4/valueset.html, https://hl7.org/fhir/R4/snomedct.html#filters
"""

from typing import Any

from conformance.validation.faults import Fault, Faults, wrong
from conformance.validation.primitives import is_absolute
from conformance.validation.rules.ecl import is_expression_constraint

Json = dict[str, Any]

SNOMED = "http://snomed.info/sct"


def check_include(include: Json) -> Faults:
    """Check ValueSet.compose.include: the system is absolute, its filters can be read."""
    system = include.get("system")
    if system.__class__ is not str:
        return None
    if not is_absolute(system):
        return wrong("value", system, "an absolute URI as system")
    return (_constraints(include) or None) if system.startswith(SNOMED) else None


def _constraints(include: Json) -> list[Fault]:
    found = []
    filters = include.get("filter")
    for index, each in enumerate(filters if filters.__class__ is list else ()):
        if each.__class__ is not dict or each.get("property") != "constraint":
            continue
        value = each.get("value")
        if value.__class__ is str and not is_expression_constraint(value):
            text = f'found "{value}", expected an expression constraint of SNOMED CT'
            found.append(Fault(f".filter[{index}]", "value", text))
    return found
