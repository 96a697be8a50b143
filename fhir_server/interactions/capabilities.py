"""FHIR capabilities interaction: what the hub says of itself, made from what is routed.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from conformance.definitions import SearchParameter
from fhir_server import fhirjson
from fhir_server.errors import BadRequest
from fhir_server.interactions.definitions import DATE
from fhir_server.interactions.interaction import FHIR_JSON, Interaction, Name, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.patch import PATCHES
from fhir_server.interactions.perform import RUN
from fhir_server.interactions.server import OperationDefinition, Server
from fhir_server.interactions.subset import PARAMS, reduced, single
from fhir_server.search.criteria import NOT_YET
from fhir_server.search.fulltext import SCOPES
from fhir_server.settings import Settings

_ON_TYPE: tuple[Name, ...] = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
_ON_SYSTEM: tuple[Name, ...] = ("history-system", "search-system")
_MODES = ("full", "normative", "terminology")
_OF_ALL = (
    ("_content", "string"),
    ("_filter", "special"),
    ("_id", "token"),
    ("_lastUpdated", "date"),
    ("_list", "string"),
    ("_profile", "uri"),
    ("_security", "token"),
    ("_source", "uri"),
    ("_tag", "token"),
    ("_text", "string"),
    ("_type", "token"),
)
"""Parameters of a search over all types."""
_OF_TRAIL: tuple[Name, ...] = ("read", "search-type")


def capabilities(server: Server, ask: Interaction) -> Reply:
    """Answer with the CapabilityStatement, or with the TerminologyCapabilities.

    "full (or not present), normative, terminology". All that the statement says here is normative.
    """
    refuse_all(ask, ("mode", *PARAMS))
    modes = [text for name, text in ask.params if name == "mode"] or ["full"]
    if len(modes) > 1 or modes[0] not in _MODES:
        raise BadRequest(f"mode is {modes[0][:20]!r}; one of {', '.join(_MODES)} is expected.")
    made = terminology(server) if modes[0] == "terminology" else statement(server)
    told = replace(ask, type=made["resourceType"])
    subset = single(server.definitions, told)
    if not subset.is_whole:
        made = reduced(server.definitions, subset, made)
    return Reply(200, fhirjson.encode(made))


def statement(server: Server) -> dict[str, Any]:
    """Return the CapabilityStatement; the same server makes the same one."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "FhirHub",
        "title": "FHIR R4 server and referral hub",
        **_about(server),
        "fhirVersion": "4.0.1",
        "format": ["json", FHIR_JSON],
        "patchFormat": list(PATCHES),
        "rest": [_rest(server)],
    }


def terminology(server: Server) -> dict[str, Any]:
    """Return the TerminologyCapabilities: the code systems of the specification that are known.

    https://hl7.org/fhir/R4/terminologycapabilities.html
    """
    return {
        "resourceType": "TerminologyCapabilities",
        "name": "FhirHubTerminology",
        "title": "Terminology of the hub",
        **_about(server),
        "codeSystem": [{"uri": url} for url in sorted(server.definitions.library.code_systems)],
    }


def _about(server: Server) -> dict[str, Any]:
    implementation = {"description": "The hub"}
    if server.settings.base_url:
        implementation["url"] = server.settings.base_url
    return {
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "fhir-hub", "version": hub_version()},
        "implementation": implementation,
    }


def hub_version() -> str:
    """Return the version of the hub; `0` where it runs without being installed."""
    try:
        return version("fhir-hub")
    except PackageNotFoundError:
        return "0"


def _rest(server: Server) -> dict[str, Any]:
    types = sorted(server.definitions.resource_types)
    operations = [_operation(each) for each in server.operations if each.level == "system"]
    told: dict[str, Any] = {
        "mode": "server",
        "documentation": _limits(server.settings),
        "security": {
            "cors": bool(server.settings.cors_origins),
            "description": "A bearer token is needed for everything but this statement.",
        },
        "resource": [_resource(server, type) for type in types],
        "interaction": [
            {"code": name} for name in ("transaction", "batch", *_ON_SYSTEM) if _is_done(name)
        ],
        "searchParam": [{"name": name, "type": type} for name, type in _OF_ALL],
    }
    return told | ({"operation": operations} if operations else {})


def _limits(settings: Settings) -> str:
    return (
        f"A request has at most {settings.body_limit} bytes, {settings.entry_limit} entries and "
        f"{settings.request_seconds:g} seconds; a page at most {settings.page_limit} entries."
    )


def _is_done(name: str) -> bool:
    return name in ("transaction", "batch") or name in RUN


def _resource(server: Server, type: str) -> dict[str, Any]:
    names = _OF_TRAIL if type == "AuditEvent" else _ON_TYPE
    told: dict[str, Any] = {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "interaction": [{"code": name} for name in names if name in RUN],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": server.settings.update_create,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single" if server.settings.delete_limit == 1 else "multiple",
        "referencePolicy": ["literal", "logical"],
    }
    known = server.definitions.search_parameters(type)
    supported = {code: known[code] for code in sorted(known) if _is_supported(known[code])}
    told["searchInclude"] = ["*", *_includes(type, supported)]
    told["searchRevInclude"] = ["*", *_revincludes(server, type)]
    told["searchParam"] = [
        {"name": code, "definition": each.url, "type": each.type}
        for code, each in supported.items()
    ]
    if server.extractor.full_text.covers(type) and type != "AuditEvent":
        told["searchParam"] += [{"name": name, "type": "string"} for name in SCOPES]
    operations = {
        each.url: _operation(each)
        for each in server.operations
        if each.level != "system" and (not each.types or type in each.types)
    }
    if operations:
        told["operation"] = list(operations.values())
    return {name: value for name, value in told.items() if value != []}


def _is_supported(parameter: SearchParameter) -> bool:
    if parameter.code in NOT_YET:
        return False
    return parameter.type != "special" or parameter.code == "near"


def _includes(type: str, known: Mapping[str, SearchParameter]) -> Iterator[str]:
    return (f"{type}:{code}" for code, each in known.items() if each.type == "reference")


def _revincludes(server: Server, type: str) -> list[str]:
    return [
        f"{source}:{code}"
        for source in sorted(server.definitions.resource_types)
        for code, each in sorted(server.definitions.search_parameters(source).items())
        if each.type == "reference" and type in each.targets
    ]


def _operation(definition: OperationDefinition) -> dict[str, str]:
    return {"name": definition.name, "definition": definition.url}
