"""The Provenance of a step: who took it, when, for whom, and which version of the Task came of it.

https://hl7.org/fhir/R4/provenance.html

Of a Task the hub alone tells who did what; of other records staff may, and name themselves among
the agents.
"""

from collections.abc import Sequence
from typing import Any

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.errors import Unprocessable
from fhir_server.fhirjson import instant
from fhir_server.interactions.server import Change, Server
from fhir_server.model import Key, Write
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


async def provenance_rule(server: Server, caller: Caller, change: Change) -> Sequence[Write]:
    """Let staff tell of their own doing. Raises `Unprocessable` for a Provenance of another's."""
    if caller.kind != "staff" or change.after is None:
        return ()
    targets = [_reference(each) for each in change.after.get("target", ())]
    if any(name.startswith("Task/") for name in targets):
        words = "Who took a Task's step is told by the hub."
        raise Unprocessable(Issue("business-rule", words, "Provenance.target"))
    agents = {_reference(each.get("who") or {}) for each in change.after.get("agent", ())}
    if agents.isdisjoint((caller.person, f"PractitionerRole/{caller.role}")):
        words = f"One of the agents must be who writes it: {caller.person}."
        raise Unprocessable(Issue("business-rule", words, "Provenance.agent"))
    return ()


def _reference(element: dict[str, Any]) -> str:
    return str(element.get("reference", ""))


def _agent(caller: Caller) -> dict[str, Any]:
    who: dict[str, Any] = {"display": caller.name or caller.kind}
    if caller.person:
        who["reference"] = caller.person
    agent = {"type": concept(_TYPE, "performer", "Performer"), "who": who}
    if caller.organization:
        agent["onBehalfOf"] = {"reference": f"Organization/{caller.organization}"}
    return agent
