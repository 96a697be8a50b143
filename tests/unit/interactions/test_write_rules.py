"""Write rules add to a commit, or refuse it, by whichever path the change comes."""

import json

import pytest

from fhir_server import fhirjson
from fhir_server.errors import Conflict
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Write

TASK = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"}
REQUEST = {
    "resourceType": "ServiceRequest",
    "id": "s",
    "status": "draft",
    "intent": "order",
    "subject": {"display": "x"},
}


async def note(server, caller, change):
    """Keep an internal record of each change."""
    body = {"before": change.before is not None, "after": change.after is not None}
    return [Write(Key("job", f"{change.key.type}-{change.key.id}"), fhirjson.encode(body))]


async def refuse_completion(server, caller, change):
    if change.after and change.after.get("status") == "completed":
        raise Conflict("not yet; accepted is next")
    return []


async def activate(server, caller, change):
    """Set the request active when its task is."""
    version = await server.store.read(Key("ServiceRequest", "s"))
    if version is None or change.after is None or change.after["status"] != "accepted":
        return []
    resource = fhirjson.resource(version) | {"status": "active"}
    return [derived(server, version.key, resource, version, "")]


@pytest.fixture
def ruled(make_hub):
    rules = {"Task": (refuse_completion, activate), "*": (note,)}
    return make_hub(write_rules=rules)


def job(hub, name):
    version = hub.run(hub.server.store.read(Key("job", name)))
    return version and json.loads(version.body)


def test_a_rule_writes_into_the_same_commit(ruled):
    ruled.put_in(TASK)

    assert job(ruled, "Task-t") == {"before": False, "after": True}


def test_a_rule_sees_a_deletion(ruled):
    ruled.put_in(TASK)
    ruled.delete("Task/t")

    assert job(ruled, "Task-t") == {"before": True, "after": False}


def ways(resource):
    operations = [{"op": "replace", "path": "/status", "value": resource["status"]}]
    entry = {"resource": resource, "request": {"method": "PUT", "url": "Task/t"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    return {
        "put": lambda hub: hub.put("Task/t", resource),
        "patch": lambda hub: hub.patch("Task/t", operations),
        "transaction": lambda hub: hub.post("", bundle),
        "conditional": lambda hub: hub.put("Task?status=requested", resource),
    }


@pytest.mark.parametrize("way", ["put", "patch", "transaction", "conditional"])
def test_a_rule_refuses_by_whichever_path(ruled, way):
    ruled.put_in(TASK)

    answer = ways(TASK | {"status": "completed"})[way](ruled)

    assert answer.status_code == 409
    assert "accepted is next" in answer.json()["issue"][0]["diagnostics"]
    assert ruled.get("Task/t").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("way", ["put", "patch", "transaction", "conditional"])
def test_a_rule_changes_another_resource(ruled, way):
    ruled.put_in(TASK, REQUEST)

    ways(TASK | {"status": "accepted"})[way](ruled)

    assert ruled.get("ServiceRequest/s").json()["status"] == "active"


def test_a_rule_sees_what_its_transaction_writes(ruled):
    accepted = TASK | {"status": "accepted"}
    entries = [
        {"resource": accepted, "request": {"method": "PUT", "url": "Task/t"}},
        {"resource": REQUEST, "request": {"method": "PUT", "url": "ServiceRequest/s"}},
    ]

    answer = ruled.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert answer.status_code == 200
    found = ruled.get("ServiceRequest/s").json()
    assert (found["status"], found["meta"]["versionId"]) == ("active", "1")


def test_what_changes_nothing_asks_no_rule(ruled):
    ruled.put_in(TASK)
    ruled.run(ruled.server.store.commit([Write(Key("job", "Task-t"), None)]))

    ruled.put("Task/t", TASK)

    version = ruled.run(ruled.server.store.read(Key("job", "Task-t")))
    assert version.body is None
