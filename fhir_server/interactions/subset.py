"""Parts of resources: `_summary` and `_elements`.

https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements

| asked | what is left |
|---|---|
| `_summary=true` | what the definitions mark as summary, what must be there, what modifies all |
| `_summary=text` | `text`, `id`, `meta`, and top-level elements that must be there |
| `_summary=data` | all but `text` |
| `_elements=a,b` | these, `id`, `meta`, what must be there, what modifies all |

Each is tagged SUBSETTED, so that nobody takes it for the whole.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from conformance.definitions import Definitions, Element
from fhir_server import fhirjson
from fhir_server.errors import BadRequest
from fhir_server.interactions.interaction import Interaction
from fhir_server.model import Version
from fhir_server.search.search import Summary

TAG = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
PARAMS = ("_summary", "_elements")
_MODIFYING = frozenset(("implicitRules", "modifierExtension"))
_ALWAYS = ("resourceType", "id", "meta")

Json = dict[str, Any]
Content = Callable[[Version], bytes]
"""A version as it is shown."""


@dataclass(frozen=True, slots=True)
class Subset:
    """What of a resource is asked for; `elements` without their type's name, of `type` alone."""

    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    type: str = ""

    @property
    def is_whole(self) -> bool:
        """Tell whether resources are shown as they are."""
        return self.summary in (None, "false") and not self.elements

    def content(self, definitions: Definitions) -> Content:
        """Return what shows a version so."""
        if self.is_whole:
            return fhirjson.whole
        return lambda version: fhirjson.encode(
            reduced(definitions, self, fhirjson.resource(version))
        )


WHOLE = Subset()


def asked(definitions: Definitions, ask: Interaction) -> Subset:
    """Return what the parameters of a read or a history ask for. Raises `BadRequest`."""
    if not ask.params:
        return WHOLE
    summary: str | None = None
    elements: list[str] = []
    for name, text in ask.params:
        if name == "_summary":
            if text not in get_args(Summary) or summary is not None:
                raise BadRequest(f"_summary: one of {', '.join(get_args(Summary))} is expected.")
            summary = text
        elif name == "_elements":
            elements += text.split(",")
    found = Subset(cast(Summary, summary), tuple(map(_bare, elements)), ask.type)
    if ask.type:
        _check(definitions, found)
    return found


def single(definitions: Definitions, ask: Interaction) -> Subset:
    """Return what the parameters of a read ask for: one resource cannot be counted."""
    found = asked(definitions, ask)
    if found.summary == "count":
        raise BadRequest("_summary=count is for searches and histories.")
    return found


def _bare(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("[x]")


def _check(definitions: Definitions, subset: Subset) -> None:
    known = definitions.elements(subset.type)
    names = {"resourceType", *known} | {
        prop for each in known.values() for prop, _ in each.properties()
    }
    for name in subset.elements:
        if name not in names:
            raise BadRequest(f"_elements: {subset.type} has no element {name[:64]!r}.")


def reduced(definitions: Definitions, subset: Subset, resource: Json) -> Json:
    """Return what a subset leaves of a resource, tagged."""
    type = resource["resourceType"]
    known = definitions.elements(type)
    match subset.summary:
        case "true":
            left = {"resourceType": type} | _summary(definitions, type, resource)
        case "text":
            left = _kept(resource, (e for e in known.values() if e.min > 0 or e.name == "text"))
        case "data":
            left = {name: value for name, value in resource.items() if name != "text"}
        case _ if subset.elements and subset.type in ("", type):
            names = frozenset(map(_bare, subset.elements)) | _MODIFYING
            left = _kept(resource, (e for e in known.values() if _is_named(e, names)))
        case _:
            return resource
    meta = left.get("meta", {})
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != TAG["code"]]
    return left | {"meta": meta | {"tag": [*tags, TAG]}}


def is_subset(resource: Json) -> bool:
    """Tell whether a resource says of itself that it is a part."""
    tags = resource.get("meta", {}).get("tag", ())
    return any(
        isinstance(tag, dict)
        and (tag.get("system"), tag.get("code")) == (TAG["system"], TAG["code"])
        for tag in (tags if isinstance(tags, list) else ())
    )


def _is_named(element: Element, names: frozenset[str]) -> bool:
    return (
        element.min > 0
        or element.name in names
        or any(prop in names for prop, _ in element.properties())
    )


def _kept(resource: Json, elements: Iterable[Element]) -> Json:
    names = {prop for element in elements for prop, _ in element.properties()}
    return {
        name: value
        for name, value in resource.items()
        if name in _ALWAYS or name.removeprefix("_") in names
    }


def _summary(definitions: Definitions, type: str, node: Mapping[str, Any]) -> Json:
    """Return the summary of a node of a type: at each level what is marked, or must be there."""
    left: Json = {}
    for element in definitions.elements(type).values():
        if not (element.is_summary or element.min > 0 or element.name in _MODIFYING):
            continue
        for name, kind in element.properties():
            if name in node:
                left[name] = _inner(definitions, kind, node[name])
            beside = node.get("_" + name)
            if beside is not None and (name not in node or None in _listed(node[name])):
                left["_" + name] = beside  # it has no value but this
    return left


def _inner(definitions: Definitions, type: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_inner(definitions, type, each) for each in value]
    if not isinstance(value, dict) or "resourceType" in value:
        return value
    return _summary(definitions, type, value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
