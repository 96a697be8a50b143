"""How the pages reach the record: interactions, performed as the one who is logged in.

There is no other way: authorization and audit hold for a page as for any client.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fhir_server import fhirjson
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.perform import perform
from fhir_server.model import Key
from fhir_server.web.pages.visit import Visit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search answered: matches in order, what they include by reference, the next cursor."""

    matches: tuple[Json, ...]
    included: dict[str, Json]
    next: str = ""
    total: int | None = None

    def at(self, reference: object) -> Json | None:
        """Return what a Reference points at, if it was included."""
        name = reference.get("reference", "") if isinstance(reference, dict) else ""
        return self.included.get(name)


async def ask(visit: Visit, interaction: Interaction) -> Reply:
    """Perform an interaction. Raises a `HubError`."""
    query = urlencode(interaction.params)
    full = replace(interaction, base=visit.base, query=interaction.query or query)
    return await perform(visit.server, visit.by, full)


async def search(visit: Visit, type: str, *params: tuple[str, str]) -> Found:
    """Search a type; parameters without a value are left out."""
    given = tuple((name, value) for name, value in params if value)
    reply = await ask(visit, Interaction("search-type", type, params=given))
    return found(fhirjson.decode(reply.body))


async def read(visit: Visit, type: str, id: str) -> Json:
    """Read a resource. Raises `NotFound`, `Gone`."""
    return decoded(await ask(visit, Interaction("read", type, id)))


async def named(visit: Visit, references: Iterable[str]) -> dict[str, Json]:
    """Return those of these resources that the caller may see, by reference, in that order."""
    wanted: dict[str, list[str]] = {}
    for reference in references:
        type, _, id = reference.partition("/")
        if type in visit.server.definitions.resource_types and id:
            wanted.setdefault(type, []).append(id)
    seen: dict[str, Json] = {}
    for type, ids in wanted.items():
        page = await search(visit, type, ("_id", ",".join(ids)), ("_count", str(len(ids))))
        seen |= {f"{type}/{each['id']}": each for each in page.matches}
    return seen


async def patch(visit: Visit, key: Key, operations: list[Json]) -> Json:
    """Apply a JSON Patch. https://hl7.org/fhir/R4/http.html#patch"""
    content = "application/json-patch+json"
    asked = Interaction(
        "patch", key.type, key.id, body=fhirjson.encode(operations), content_type=content
    )
    return decoded(await ask(visit, asked))


def decoded(reply: Reply) -> Json:
    """Return the resource of a reply."""
    resource: Json = fhirjson.decode(reply.body)
    return resource


def found(bundle: Json) -> Found:
    """Read a searchset Bundle."""
    matches: list[Json] = []
    included: dict[str, Json] = {}
    for entry in bundle.get("entry", ()):
        resource = entry["resource"]
        match entry["search"]["mode"]:
            case "match":
                matches.append(resource)
            case "include":
                included[f"{resource['resourceType']}/{resource['id']}"] = resource
    links = {link["relation"]: link["url"] for link in bundle.get("link", ())}
    cursor = parse_qs(urlsplit(links.get("next", "")).query).get("_cursor", [""])[0]
    return Found(tuple(matches), included, cursor, bundle.get("total"))
