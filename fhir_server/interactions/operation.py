"""FHIR operations: which one runs. https://hl7.org/fhir/R4/operations.html"""

from fhir_server.authz.caller import Caller
from fhir_server.errors import NotAllowed, NotSupported
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.server import OperationDefinition, Server


async def operation(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Run the operation of that name, level and type.

    Raises `NotSupported`, naming what there is, and `NotAllowed` for a GET that would change
    something.
    """
    found = next((each for each in server.operations if _is_asked(each, ask)), None)
    if found is None:
        here = sorted({f"${each.name}" for each in server.operations if _is_here(each, ask)})
        told = f"here there is {', '.join(here)}" if here else "there is none here"
        raise NotSupported(f"${ask.operation[:64]} is not supported; {told}.")
    if found.affects_state and ask.safe:
        raise NotAllowed(f"${found.name} changes what is stored: POST is for it.")
    return await found.run(server, caller, ask)


def changes_something(server: Server, ask: Interaction) -> bool:
    """Tell whether an interaction is an operation that changes what is stored."""
    return ask.name == "operation" and any(
        each.affects_state for each in server.operations if _is_asked(each, ask)
    )


def _is_asked(definition: OperationDefinition, ask: Interaction) -> bool:
    return definition.name == ask.operation and _is_here(definition, ask)


def _is_here(definition: OperationDefinition, ask: Interaction) -> bool:
    level = "instance" if ask.id else "type" if ask.type else "system"
    fits = not ask.type or not definition.types or ask.type in definition.types
    return definition.level == level and fits
