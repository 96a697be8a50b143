"""Canonical URLs: those of definitions are absolute, and known ones are of the type expected.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable
from typing import Any

from conformance.definitions import Definitions
from conformance.profiles.catalog import Catalog
from conformance.validation.faults import Check, Fault, Faults, wrong
from conformance.validation.primitives import is_absolute

Json = dict[str, Any]


def check_url(resource: Json) -> Faults:
    """Check that the URL by which a definition is known is absolute."""
    url = resource.get("url")
    if url.__class__ is not str or is_absolute(url):
        return None
    return [each._replace(path=".url") for each in wrong("value", url, "an absolute URL")]


def kinds(catalog: Catalog) -> Callable[[str], str]:
    """What tells the resource type behind a known URL; '' for others."""
    tables = {
        "StructureDefinition": catalog.structures,
        "ValueSet": catalog.value_sets,
        "CodeSystem": catalog.code_systems,
    }

    def kind_of(url: str) -> str:
        bare = url.partition("|")[0]
        found = [name for name, table in tables.items() if bare in table]
        return found[0] if len(found) == 1 else ""

    return kind_of


def target_check(kind_of: Callable[[str], str], allowed: tuple[str, ...]) -> Check:
    """The check of a canonical that may lead to some types only."""

    def check(value: Any) -> Faults:
        kind = kind_of(value) if value.__class__ is str else ""
        if not kind or kind in allowed:
            return None
        return wrong("value", value, f"the URL of a {' or '.join(allowed)}; it is that of a {kind}")

    return check


def parameter_check(definitions: Definitions) -> Check:
    """The check of CapabilityStatement.rest.resource.searchParam: its type is the definition's."""
    types = types_of(definitions)

    def check(parameter: Json) -> Faults:
        return _same_type(types, parameter.get("definition"), parameter.get("type"))

    return check


def derived_check(definitions: Definitions) -> Check:
    """The check of a SearchParameter: its type is that of what it is derived from."""
    types = types_of(definitions)

    def check(parameter: Json) -> Faults:
        return _same_type(types, parameter.get("derivedFrom"), parameter.get("type"))

    return check


def types_of(definitions: Definitions) -> dict[str, str]:
    """URL -> type of the search parameters of the specification."""
    return {
        parameter.url: parameter.type
        for name in definitions.resource_types
        for parameter in definitions.search_parameters(name).values()
    }


def _same_type(types: dict[str, str], url: Any, stated: Any) -> Faults:
    known = types.get(url.partition("|")[0]) if url.__class__ is str else None
    if known is None or stated == known:
        return None
    return [Fault("", "value", f"found the type {stated}, expected {known}, as {url} has it")]
