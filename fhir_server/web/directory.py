"""Institutions by name: the directory is everybody's, so that no request is recorded for it."""

from typing import Literal

from fhir_server import fhirjson
from fhir_server.interactions.server import Server
from fhir_server.model import Key

Language = Literal["zh", "en"]


async def name_of(server: Server, organization: str, language: Language) -> str:
    """Return an Organization's name (its first alias in English), or its id if it has none."""
    version = await server.store.read(Key("Organization", organization))
    if version is None or version.body is None:
        return organization
    found = fhirjson.resource(version)
    aliases = found.get("alias") or []
    name = aliases[0] if language == "en" and aliases else found.get("name")
    return str(name or organization)
