"""Build: what is kept of resources that are read one by one, and of extensions.

https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/codesystem.html
"""

import json
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

# What is for people who read the specification, or repeated in other tables.
_PUBLISHING = {
    "text",
    "meta",
    "extension",
    "contact",
    "publisher",
    "date",
    "identifier",
    "useContext",
    "jurisdiction",
    "copyright",
    "language",
    "purpose",
    "keyword",
    "mapping",
}
_OF_ELEMENT = {
    "definition",
    "comment",
    "requirements",
    "alias",
    "mapping",
    "example",
    "isModifierReason",
    "meaningWhenMissing",
    "orderMeaning",
    "condition",
    "representation",
    "short",
}
_OF_CONSTRAINT = {"xpath", "requirements"}


def records_text(resources: Iterable[Json]) -> str:
    """The text of a file of records: an index, then a resource a line, by URL."""
    lines = {each["url"]: line(each) for each in sorted(resources, key=lambda each: each["url"])}
    index: dict[str, list[int]] = {}
    offset = 0
    for url, text in lines.items():
        length = len(text.encode())
        index[url] = [offset, length]
        offset += length + 1
    return "\n".join([line(index), *lines.values(), ""])


def line(value: object) -> str:
    """One record as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def without(resource: Json, names: set[str]) -> Json:
    """A copy without some properties, and without what stands beside them."""
    return {key: value for key, value in resource.items() if key.lstrip("_") not in names}


def structure_of(structure: Json) -> Json:
    """A StructureDefinition without what only people read."""
    kept = without(structure, _PUBLISHING | {"description", "experimental"})
    for part in ("snapshot", "differential"):
        if part in kept:
            kept[part] = {"element": [element_of(each) for each in kept[part]["element"]]}
    return kept


def element_of(element: Json) -> Json:
    """An ElementDefinition without what only people read."""
    kept = without(element, _OF_ELEMENT)
    if "constraint" in kept:
        kept["constraint"] = [without(each, _OF_CONSTRAINT) for each in kept["constraint"]]
    if "binding" in kept:
        kept["binding"] = without(kept["binding"], {"description"})
    return kept


def code_system_of(system: Json) -> Json:
    """A CodeSystem with all that is said of its concepts."""
    return without(system, _PUBLISHING)


def value_set_of(value_set: Json) -> Json:
    """A ValueSet with its composition."""
    return without(value_set, _PUBLISHING | {"contained"})


def extensions_of(structures: list[Json]) -> dict[str, list[Any]]:
    """URL -> `[contexts, context invariants, value types, nested URLs, modifier]`."""
    return {each["url"]: extension_of(each) for each in structures if is_extension(each)}


def is_extension(structure: Json) -> bool:
    """Whether a StructureDefinition defines an extension."""
    return bool(structure["type"] == "Extension" and structure.get("derivation") == "constraint")


def extension_of(structure: Json) -> list[Any]:
    """The record of one extension; it has no value types where it has extensions of its own."""
    elements = structure["snapshot"]["element"]
    values = [
        kind["code"]
        for each in elements
        if each["path"] == "Extension.value[x]" and each["max"] != "0"
        for kind in each["type"]
    ]
    nested = [
        each["fixedUri"]
        for each in elements
        if each["path"] == "Extension.extension.url" and "fixedUri" in each
    ]
    return [
        [[each["type"], each["expression"]] for each in structure.get("context", ())],
        structure.get("contextInvariant", []),
        values,
        nested,
        elements[0].get("isModifier", False),
    ]
