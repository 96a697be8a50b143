"""Operations tell nothing of hidden records: each answers alike in a world that lacks them."""

import pytest
from attack_worlds import (
    CALLERS,
    WORLDS,
    Ask,
    World,
    condition,
    encounter,
    item,
    observation,
    patient,
)
from hypothesis import given, settings
from test_two_worlds import CALLER, SOME, WORLD, compare, compared, everything

from fhir_server.authz.decide import Allow
from fhir_server.operations import lastn, match, record_page, referred
from fhir_server.operations.graphql import loads
from fhir_server.search.tree import EVERYTHING

__all__ = ["compare"]

FEW = settings(SOME, max_examples=6)

JSON = (("Content-Type", "application/json"),)
QUERIES = (
    """{ a: Patient(id: "p1") { ...P } b: Patient(id: "p2") { ...P } c: Patient(id: "no") { id } }
    fragment P on Patient {
        name { family } generalPractitioner { resource(optional: true) { id } }
        ObservationList(_reference: patient, _sort: "-date") { id encounter { resource { id } } }
    }""",
    """{ PatientList(_sort: _id) { id
        ObservationConnection(_reference: subject, _count: 1) { count edges { resource {
            id encounter { resource(optional: true) { ... on Encounter {
                subject { resource(optional: true) { id } }
                diagnosis { condition { reference resource { id } } } } } } } } }
        EncounterList(_reference: patient, _count: 1) { id }
        TaskList(_reference: patient) { id }
    } }""",
    """{ ObservationConnection(code: "bp", _sort: date, _include: "Observation:encounter",
        encounter: "Encounter/e1") { count edges { mode resource { id resourceType } } }
       GroupList { member { entity { reference resource { id } } } }
       ConditionList(fhirpath: "code.exists()") { id subject { resource { id } } } }""",
)
OF_PATIENT = """{ id ConditionList(_reference: subject) { id code { coding { code } } }
    GroupList(_reference: member) { member { entity { resource(optional: true) { id } } } } }"""

ASKS = [
    Ask("GET", "Patient/p1/$everything?_count=2"),
    Ask("GET", "Patient/p1/$everything?_type=Practitioner,Observation&_since=2020"),
    Ask("GET", "Patient/p2/$everything"),
    Ask("GET", "Patient/nobody/$everything"),
    Ask("GET", "Patient/$everything?start=2026-01-02"),
    Ask("GET", "Encounter/e1/$everything"),
    Ask("GET", "Encounter/e2/$everything?_count=1"),
    Ask("GET", "Observation/$lastn?patient=p1&code:missing=false"),
    Ask("GET", "Observation/$lastn?patient=p1,p2&code=bp,glu&max=2&_include=Observation:encounter"),
    Ask("GET", "Observation/$lastn?subject=Patient/p2&code=bp&encounter.diagnosis.code=I10"),
    Ask("GET", "Composition/d1/$document"),
    Ask("GET", "Composition/d2/$document"),
    Ask("GET", "Composition/nobody/$document"),
    *(
        Ask("POST", "Patient/$match", body)
        for body in (
            {"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "1"}]},
            {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:s", "value": "2"}],
                "name": [{"family": "Wang"}],
            },
        )
    ),
    *(Ask("POST", "$graphql", {"query": query}, JSON) for query in QUERIES),
    *(
        Ask("POST", f"Patient/{id}/$graphql", {"query": OF_PATIENT}, JSON)
        for id in ("p1", "p2", "nobody")
    ),
]


def composition(id, subject, *entries):
    return {
        "resourceType": "Composition",
        "id": id,
        "status": "final",
        "type": {"text": "x"},
        "subject": {"reference": f"Patient/{subject}"},
        "date": "2026-01-02",
        "author": [{"reference": "Practitioner/d1"}],
        "title": "x",
        "section": [{"entry": [{"reference": each} for each in entries]}],
    }


REFERRED = World(
    items=(
        item(patient("p1"), "clinic"),
        item(condition("c1", "p1", "J45"), "hospital"),
        item(encounter("e1", "p1", "AMB", "c1"), "clinic"),
        item(encounter("e2", "p1", "AMB"), "hospital"),
        item(observation("o1", "p1", within="e2"), "clinic"),
        item(observation("o2", "p1", value=3), "hospital"),
        item(patient("p2", "Wang", "2"), "hospital"),
        item(composition("d1", "p1", "Condition/c1"), "clinic"),
        item(composition("d2", "p1", "Observation/o1"), "clinic"),
    ),
    grants=(),
)
"""Records that the clinic sees refer to records that it does not see."""


@FEW
@given(world=WORLDS, caller=CALLER)
def test_operations_answer_equally(compare, world, caller):
    compare(world, CALLERS[caller], ASKS)


@pytest.mark.parametrize("world", [WORLD, REFERRED])
def test_in_worlds_made_by_hand_too(compare, world):
    compare(world, CALLERS["clinic"], ASKS)


def allow_all(caller, type, verb):
    return Allow(EVERYTHING)


@pytest.mark.parametrize(
    ("module", "name", "mutant"),
    [
        (record_page, "visible", everything),
        (lastn, "allowed", allow_all),
        (match, "allowed", allow_all),
        (loads, "visible", everything),
        (referred, "decide", allow_all),
    ],
)
def test_a_loosened_joint_is_noticed(make_hub, monkeypatch, module, name, mutant):
    monkeypatch.setattr(module, name, mutant)

    with pytest.raises(AssertionError):
        compared(make_hub, lambda: "memory://")(REFERRED, CALLERS["clinic"], ASKS)


def test_a_loosened_chain_of_lastn_is_noticed(make_hub, monkeypatch):
    monkeypatch.setattr(lastn, "restrict", lambda node, caller: node)

    with pytest.raises(AssertionError):
        compared(make_hub, lambda: "memory://")(WORLD, CALLERS["clinic"], ASKS)
