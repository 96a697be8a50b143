"""How well a match agrees with the question: its score, and its distance.

https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.search.score,
https://hl7.org/fhir/R4/extension-location-distance.html

Both are computed from the one resource that is answered, as the order of results is.
"""

from decimal import Decimal
from typing import Any

from fhir_server import fhirjson
from fhir_server.model import Version
from fhir_server.search.measure import BEST, measured, score
from fhir_server.search.near import entries
from fhir_server.search.search import Search
from fhir_server.search.text import text_of
from fhir_server.search.tree import Near, Words

DISTANCE = "http://hl7.org/fhir/StructureDefinition/location-distance"
_UCUM = "http://unitsofmeasure.org"


def agreement(search: Search, version: Version) -> dict[str, Any]:
    """Return what `Bundle.entry.search` tells of a match besides its mode."""
    if not search.measures:
        return {}
    resource = fhirjson.resource(version)
    told: dict[str, Any] = {}
    if near := [node for node in search.measures if isinstance(node, Near)]:
        told |= _distance(near, resource)
    if sought := [node for node in search.measures if isinstance(node, Words)]:
        told["score"] = Decimal(score(text_of(resource), sought)) / BEST
    return told


def _distance(near: list[Near], resource: dict[str, Any]) -> dict[str, Any]:
    metres = measured(near, entries(near[0].param, "", resource.get("position")))
    if metres is None:
        return {}
    away = {"value": Decimal(metres) / 1000, "unit": "km", "system": _UCUM, "code": "km"}
    return {"extension": [{"url": DISTANCE, "valueDistance": away}]}
