"""FHIR capabilities interaction: what the hub says of itself, made from what is routed.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from conformance.definitions import SearchParameter
from fhir_server import fhirjson
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.interactions.interaction import Interaction, Name, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.perform import RUN
from fhir_server.interactions.server import OperationDefinition, Server
from fhir_server.search.criteria import NOT_YET

_DATE = "2026-11-25"
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
_OF_TRAIL: tuple[Name, ...] = ("read", "search-type")


def capabilities(server: Server, ask: Interaction) -> Reply:
    """Answer with the CapabilityStatement. Raises `NotSupported` for a mode that is not full."""
    refuse_all(ask, ("mode",))
    mode = dict(ask.params).get("mode", "full")
    if mode in ("normative", "terminology"):
        raise NotSupported(f"mode={mode} is not supported yet; full is.")
    if mode != "full":
        raise BadRequest(f"mode is {mode[:20]!r}; full is expected.")
    return Reply(200, fhirjson.encode(statement(server)))


def statement(server: Server) -> dict[str, Any]:
    """Return the CapabilityStatement; the same server makes the same one."""
    implementation = {"description": "The hub"}
    if server.settings.base_url:
        implementation["url"] = server.settings.base_url
    return {
        "resourceType": "CapabilityStatement",
        "name": "FhirHub",
        "title": "FHIR R4 server and referral hub",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "fhir-hub", "version": _version()},
        "implementation": implementation,
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [_rest(server)],
    }


def _version() -> str:
    try:
        return version("fhir-hub")
    except PackageNotFoundError:
        return "0"


def _rest(server: Server) -> dict[str, Any]:
    types = sorted(server.definitions.resource_types)
    operations = [_operation(each) for each in server.operations if each.level == "system"]
    told: dict[str, Any] = {
        "mode": "server",
        "security": {
            "cors": True,
            "description": "A bearer token is needed for everything but this statement.",
        },
        "resource": [_resource(server, type) for type in types],
        "interaction": [{"code": "transaction"}, {"code": "batch"}],
        "searchParam": [
            {"name": "_id", "type": "token"},
            {"name": "_lastUpdated", "type": "date"},
        ],
    }
    return told | ({"operation": operations} if operations else {})


def _resource(server: Server, type: str) -> dict[str, Any]:
    names = _OF_TRAIL if type == "AuditEvent" else _ON_TYPE
    told: dict[str, Any] = {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "interaction": [{"code": name} for name in names if name in RUN],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical"],
    }
    known = server.definitions.search_parameters(type)
    supported = {code: known[code] for code in sorted(known) if _is_supported(known[code])}
    told["searchInclude"] = ["*", *_includes(type, supported)]
    told["searchRevInclude"] = _revincludes(server, type)
    told["searchParam"] = [
        {"name": code, "definition": each.url, "type": each.type}
        for code, each in supported.items()
    ]
    operations = [
        _operation(each)
        for each in server.operations
        if each.level != "system" and (not each.types or type in each.types)
    ]
    if operations:
        told["operation"] = operations
    return {name: value for name, value in told.items() if value != []}


def _is_supported(parameter: SearchParameter) -> bool:
    return parameter.code not in NOT_YET and parameter.type != "special"


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
    base = "http://hl7.org/fhir/OperationDefinition"
    owner = definition.types[0] if definition.types else "Resource"
    return {
        "name": definition.name,
        "definition": definition.definition or f"{base}/{owner}-{definition.name}",
    }
