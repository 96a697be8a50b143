"""https://hl7.org/fhir/R4/operations.html"""

import pytest

from fhir_server.interactions.interaction import Reply
from fhir_server.interactions.server import OperationDefinition

PATIENT = {"resourceType": "Patient"}


async def run(server, caller, ask):
    return Reply(200, b'{"resourceType":"Parameters"}')


@pytest.fixture
def acting(make_hub):
    return make_hub(operations=(OperationDefinition("act", ("Task",), "instance", run, True),))


def test_an_operation_runs_on_its_type_and_level(acting):
    assert acting.post("Task/1/$act", {}).status_code == 200


@pytest.mark.parametrize("path", ["Task/$act", "Patient/1/$act", "$act", "Task/1/$other"])
def test_elsewhere_it_is_not_supported(acting, path):
    assert acting.post(path, {}).status_code == 501


def test_what_there_is_is_named(acting):
    answer = acting.post("Task/1/$other", {})

    assert "$act" in answer.json()["issue"][0]["diagnostics"]


def test_get_does_not_change_anything(acting):
    assert acting.get("Task/1/$act").status_code == 405


# https://hl7.org/fhir/R4/resource-operation-validate.html


def test_validate_finds_nothing_wrong(hub):
    answer = hub.post("Patient/$validate", PATIENT)

    assert answer.status_code == 200
    assert answer.json()["issue"][0]["severity"] == "information"


def test_validate_tells_what_is_wrong_and_stores_nothing(hub):
    answer = hub.post("Patient/$validate", PATIENT | {"bogus": 1})

    assert answer.status_code == 200
    assert answer.json()["issue"][0]["severity"] == "error"
    assert hub.ids("Patient") == []


def test_validate_takes_parameters(hub):
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "mode", "valueCode": "create"},
            {"name": "resource", "resource": PATIENT},
        ],
    }

    assert hub.post("Patient/$validate", body).status_code == 200


def test_validate_checks_what_is_stored(hub):
    id = hub.made(PATIENT)

    assert hub.get(f"Patient/{id}/$validate").status_code == 200


def test_validate_against_a_profile(hub):
    """profile: If this is nominated, then the resource is validated against this profile."""
    profile = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
    heart = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}

    plain = hub.post("Observation/$validate", heart).json()
    asked = hub.post(f"Observation/$validate?profile={profile}", heart).json()

    assert {issue["severity"] for issue in plain["issue"]} == {"information"}
    assert {issue["severity"] for issue in asked["issue"]} == {"error"}


def test_validate_tells_whether_what_is_to_be_deleted_is_there(hub):
    id = hub.made(PATIENT)

    assert hub.get(f"Patient/{id}/$validate?mode=delete").status_code == 200
    assert hub.get("Patient/nobody/$validate?mode=delete").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("Patient/$validate", {"resourceType": "Observation"}, 400),
        ("Patient/$validate?mode=profile", PATIENT, 400),
        ("Patient/$validate?mode=other", PATIENT, 400),
        ("Patient/$validate?mode=delete", PATIENT, 400),
        (
            "Patient/$validate",
            {"resourceType": "Parameters", "parameter": [{"name": "colour"}]},
            501,
        ),
        ("Patient/$validate", {"resourceType": "Parameters"}, 400),
        ("Patient/$validate", [], 400),
        ("Patient/nobody/$validate", None, 404),
    ],
)
def test_validate_refuses(hub, path, body, status):
    assert hub("POST", path, body).status_code == status
