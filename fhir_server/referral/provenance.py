"""The Provenance of a step: who took it, when, for whom, and which version of the Task came of it.

https://hl7.org/fhir/R4/provenance.html
"""

from typing import Any

from fhir_server.authz.caller import Caller
from fhir_server.fhirjson import instant
from fhir_server.model import Key
from fhir_server.referral.codes import STEP, concept
from fhir_server.referral.states import Resource, Row

_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def provenance(caller: Caller, row: Row, task: Key, vid: int, body: Resource) -> dict[str, Any]:
    """Return the Provenance of the step that made version `vid` of the Task what `body` says."""
    record: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": f"{task}/_history/{vid}"}],
        "occurredDateTime": instant(caller.now),
        "recorded": instant(caller.now),
        "activity": concept(STEP, row.name, row.chinese),
        "agent": [_agent(caller)],
    }
    if row.reason:
        record["reason"] = [body["statusReason"]]
    return record


def _agent(caller: Caller) -> dict[str, Any]:
    who: dict[str, Any] = {"display": caller.name or caller.kind}
    if caller.person:
        who["reference"] = caller.person
    agent = {"type": concept(_TYPE, "performer", "Performer"), "who": who}
    if caller.organization:
        agent["onBehalfOf"] = {"reference": f"Organization/{caller.organization}"}
    return agent
