"""A parameter as it was asked, and which modifiers go with which type of parameter.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from dataclasses import dataclass

from conformance.definitions import Definitions, SearchParameter
from fhir_server.errors import BadRequest
from fhir_server.search.elements import targets
from fhir_server.search.terms import Terms

MODIFIERS = {
    "number": ("missing",),
    "date": ("missing",),
    "string": ("missing", "exact", "contains"),
    "token": ("missing", "text", "not", "of-type", "in", "not-in", "above", "below"),
    "reference": ("missing", "identifier", "above", "below"),
    "composite": (),
    "quantity": ("missing",),
    "uri": ("missing", "above", "below"),
    "special": ("missing",),
}
"""Type of parameter -> its modifiers; a reference also takes the name of a type."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter as it was asked: on which type, with which modifier, on which terms."""

    definitions: Definitions
    terms: Terms
    type: str
    parameter: SearchParameter
    modifier: str = ""

    @property
    def name(self) -> str:
        """The parameter's name as the client writes it."""
        return self.parameter.code + (f":{self.modifier}" if self.modifier else "")

    @property
    def targets(self) -> tuple[str, ...]:
        """The types that a reference may be to."""
        return targets(self.definitions, self.type, self.parameter)


def check_modifier(asked: Asked) -> None:
    """Raise `BadRequest` for a modifier that does not go with the parameter."""
    kind, modifier = asked.parameter.type, asked.modifier
    if not modifier or modifier in MODIFIERS[kind]:
        return
    ends = asked.targets
    if kind == "reference" and asked.definitions.is_resource_type(modifier):
        if modifier in ends:
            return
        raise BadRequest(
            f"{asked.name}: the reference is never to {modifier}; it may be to {', '.join(ends)}"
        )
    allowed = [f":{each}" for each in MODIFIERS[kind]]
    if kind == "reference":
        allowed.append(f"one of the types {', '.join(f':{each}' for each in ends)}")
    raise BadRequest(
        f"{asked.name}: a {kind} parameter has no modifier :{modifier}; "
        f"allowed here: {', '.join(allowed) or 'none'}"
    )
