"""OperationDefinitions of what is routed; they are read like any other, where none is stored.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from typing import Any

from fhir_server.interactions.server import OperationDefinition, Server

DATE = "2026-11-25"
"""When what the hub does was last changed: constant, so that two starts say the same."""

Json = dict[str, Any]


def operation_definition(server: Server, id: str) -> Json | None:
    """Return the definition of an operation that the hub does, by the end of its URL."""
    found = [each for each in server.operations if each.url.rpartition("/")[2] == id]
    return _made(id, found) if found else None


def _made(id: str, levels: list[OperationDefinition]) -> Json:
    first = levels[0]
    at = {each.level for each in levels}
    made: Json = {
        "resourceType": "OperationDefinition",
        "id": id,
        "url": first.url,
        "name": "".join(part.capitalize() for part in first.name.split("-")),
        "status": "active",
        "kind": "operation",
        "date": DATE,
        "affectsState": first.affects_state,
        "code": first.name,
        "resource": list(first.types) or ["Resource"],
        "system": "system" in at,
        "type": "type" in at,
        "instance": "instance" in at,
    }
    parameters = [each._asdict() for each in first.parameters]
    return made | ({"parameter": parameters} if parameters else {})
