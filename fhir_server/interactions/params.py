"""Parameters of interactions that are not searches: what is not known is refused by name.

https://hl7.org/fhir/R4/http.html#parameters
"""

from collections.abc import Collection

from fhir_server.errors import BadRequest
from fhir_server.interactions.interaction import Interaction


def refuse_all(ask: Interaction, known: Collection[str] = ()) -> None:
    """Raise for every parameter that is not `known`, unless the client asked for lenience."""
    unknown = [name for name, _ in ask.params if name not in known]
    if unknown and ask.strict:
        raise BadRequest(
            *(f"There is no parameter {name[:100]!r} of {ask.name}." for name in unknown)
        )
