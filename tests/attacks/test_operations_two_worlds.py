"""Operations tell nothing of hidden records: each answers alike in a world that lacks them."""

import pytest
from attack_worlds import CALLERS, WORLDS, Ask, World, condition, encounter, item, patient
from hypothesis import given, settings
from test_two_worlds import CALLER, SOME, WORLD, compare, compared, everything

from fhir_server.operations import everything as everything_operation
from fhir_server.operations import referred

__all__ = ["compare"]

FEW = settings(SOME, max_examples=6)

ASKS = [
    Ask("GET", "Patient/p1/$everything?_count=2"),
    Ask("GET", "Patient/p1/$everything?_type=Practitioner,Observation&_since=2020"),
    Ask("GET", "Patient/p2/$everything"),
    Ask("GET", "Patient/nobody/$everything"),
    Ask("GET", "Patient/$everything?start=2026-01-02"),
    Ask("GET", "Encounter/e1/$everything"),
    Ask("GET", "Encounter/e2/$everything?_count=1"),
]

REFERRED = World(
    items=(
        item(patient("p1"), "clinic"),
        item(condition("c1", "p1", "J45"), "hospital"),
        item(encounter("e1", "p1", "AMB", "c1"), "clinic"),
    ),
    grants=(),
)
"""An encounter that the clinic sees refers to a condition that it does not see."""


@FEW
@given(world=WORLDS, caller=CALLER)
def test_operations_answer_equally(compare, world, caller):
    compare(world, CALLERS[caller], ASKS)


@pytest.mark.parametrize("world", [WORLD, REFERRED])
def test_in_worlds_made_by_hand_too(compare, world):
    compare(world, CALLERS["clinic"], ASKS)


@pytest.mark.parametrize(("module", "world"), [(everything_operation, WORLD), (referred, REFERRED)])
def test_a_loosened_joint_is_noticed(make_hub, monkeypatch, module, world):
    monkeypatch.setattr(module, "visible", everything)

    with pytest.raises(AssertionError):
        compared(make_hub, lambda: "memory://")(world, CALLERS["clinic"], ASKS)
