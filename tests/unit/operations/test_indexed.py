"""An operation never answers by an index that is not complete."""

import json
from dataclasses import replace

import pytest

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "2000-01-01",
    "name": [{"text": "x"}],
}
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "finished",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/p1"},
}


@pytest.mark.parametrize(
    ("method", "path", "body", "type", "code"),
    [
        ("GET", "Observation/$lastn?patient=p1&code=x", None, "Observation", "date"),
        ("POST", "Patient/$match", PATIENT, "Patient", "name"),
        ("GET", "Patient/$everything", None, "Observation", "subject"),
        ("GET", "Patient/p1/$everything?start=2020", None, "Encounter", "date"),
        ("GET", "Encounter/e1/$everything", None, "Observation", "encounter"),
        (
            "POST",
            "Patient/p1/$graphql",
            {"query": "{ ObservationList(_reference: subject) { id } }"},
            "Observation",
            "subject",
        ),
    ],
)
def test_it_says_that_records_are_being_indexed(make_hub, method, path, body, type, code):
    hub = make_hub()
    hub.put_in(PATIENT, ENCOUNTER)
    content = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"} if body else {}
    assert hub(method, path, content, headers=headers).status_code == 200

    hub.server.index.known = replace(hub.server.index.known, blocked={type: (code,)})

    answer = hub(method, path, content, headers=headers)
    assert answer.status_code == 503
    assert code in answer.json()["issue"][0]["diagnostics"]
