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


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("Patient/$validate", {"resourceType": "Observation"}, 400),
        ("Patient/$validate?profile=http://x", PATIENT, 501),
        (
            "Patient/$validate",
            {"resourceType": "Parameters", "parameter": [{"name": "profile"}]},
            501,
        ),
        ("Patient/$validate", {"resourceType": "Parameters"}, 400),
        ("Patient/$validate", [], 400),
        ("Patient/nobody/$validate", None, 404),
    ],
)
def test_validate_refuses(hub, path, body, status):
    assert hub("POST", path, body).status_code == status
