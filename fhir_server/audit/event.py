"""An audit row as AuditEvents: one for each patient, or one if it tells of none.

https://hl7.org/fhir/R4/auditevent.html, shaped as IHE Basic Audit Log Patterns has them:
https://profiles.ihe.net/ITI/BALP/
"""

import base64
from typing import Any

from fhir_server import fhirjson
from fhir_server.audit.row import Row

Json = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem/"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_DUTY = "https://fhir-hub.example/CodeSystem/staff-role"
_KIND = "https://fhir-hub.example/CodeSystem/account-kind"

HUB = "fhir-hub"


def events(id: str, row: Row, *, whole: bool = True) -> list[Json]:
    """Return the AuditEvents of the row with this id; their ids are `ID-0`, `ID-1` …

    The order is that of `row.patients`: an AuditEvent keeps its id for ever. They are `whole` for
    an auditor; for one of the patients they are without the query, which may name others.
    """
    return [
        event(f"{id}-{place}", row, patient, whole=whole)
        for place, patient in enumerate(row.patients or ("",))
    ]


def event(id: str, row: Row, patient: str, *, whole: bool = True) -> Json:
    """Return one AuditEvent; `patient` is an id, or empty."""
    time = fhirjson.instant(row.time)
    found: Json = {
        "resourceType": "AuditEvent",
        "id": id,
        "meta": {"versionId": "1", "lastUpdated": time},
        "type": _coding(_HL7 + "audit-event-type", "rest", "RESTful Operation"),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", row.subtype)],
        "action": row.action,
        "recorded": time,
        "outcome": row.outcome,
        "outcomeDesc": f"HTTP {row.status}",
    }
    if row.purpose:
        found["purposeOfEvent"] = [{"coding": [_coding(_HL7 + "v3-ActReason", row.purpose)]}]
    return found | {
        "agent": [_agent(row), _hub()],
        "source": {
            "observer": {"display": HUB},
            "type": [_coding(_HL7 + "security-source-type", "4", "Application Server")],
        },
        "entity": _entities(row, patient, whole),
    }


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _agent(row: Row) -> Json:
    type = _coding(_HL7 + "v3-ParticipationType", "IRCP", "information recipient")
    agent: Json = {"type": {"coding": [type]}, "requestor": True, "altId": row.account}
    roles = [{"coding": [_coding(_KIND, row.kind)]}]
    if row.duty:
        roles.insert(0, {"coding": [_coding(_DUTY, row.duty)]})
    agent["role"] = roles
    who: Json = {"display": row.name} if row.name else {}
    if row.person:
        who = {"reference": row.person, **who}
    if who:
        agent["who"] = who
    if row.name:
        agent["name"] = row.name
    policies = [*row.basis, *([f"urn:sha256:{row.token}"] if row.token else [])]
    if policies:
        agent["policy"] = policies
    return agent


def _hub() -> Json:
    type = _coding(_DICOM, "110152", "Destination Role ID")
    return {"type": {"coding": [type]}, "who": {"display": HUB}, "requestor": False}


def _entities(row: Row, patient: str, whole: bool) -> list[Json]:
    found: list[Json] = []
    if patient:
        found.append(_object(f"Patient/{patient}", ("1", "Person"), ("1", "Patient")))
    if row.target and row.target != f"Patient/{patient}":
        kind, role = ("2", "System Object"), ("4", "Domain Resource")
        found.append(_object(row.target, kind, role))
    if row.organization:
        kind, role = ("3", "Organization"), ("22", "Provider")
        found.append(_object(f"Organization/{row.organization}", kind, role))
    if whole and (row.query or row.subtype == "search"):
        found.append(_query(row))
    if row.request:
        kind_of = _coding(_BALP, "XrequestId")
        found.append(
            {
                "what": {"identifier": {"type": {"coding": [kind_of]}, "value": row.request}},
                "type": kind_of,
            }
        )
    return found


def _object(reference: str, type: tuple[str, str], role: tuple[str, str]) -> Json:
    return {
        "what": {"reference": reference},
        "type": _coding(_HL7 + "audit-entity-type", *type),
        "role": _coding(_HL7 + "object-role", *role),
    }


def _query(row: Row) -> Json:
    raw = f"{row.type}?{row.query}" if row.type else row.query
    return {
        "type": _coding(_HL7 + "audit-entity-type", "2", "System Object"),
        "role": _coding(_HL7 + "object-role", "24", "Query"),
        "query": base64.b64encode(raw.encode(errors="surrogateescape")).decode(),
    }
