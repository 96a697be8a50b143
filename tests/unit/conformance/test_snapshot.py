"""Snapshots. https://hl7.org/fhir/R4/profiling.html#snapshot"""

from typing import Any

import pytest

from conformance.definitions import Definitions
from conformance.snapshot import SnapshotError, snapshot

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"

# Published snapshots that differ from what their differentials say.
DIFFERENT = {"bp", "catalog", "elementdefinition-de", "familymemberhistory-genetic"}


def profile(*elements: Json, base: str = "Patient") -> Json:
    return {
        "url": "http://x/p",
        "type": base,
        "baseDefinition": CORE + base,
        "differential": {"element": list(elements)},
    }


def generated(definitions: Definitions, structure: Json) -> dict[str, Json]:
    found = snapshot(structure, definitions.library.structures.get)
    return {each["id"]: each for each in found}


def test_published_snapshots_are_generated(definitions: Definitions) -> None:
    structures = definitions.library.structures
    different = set()
    for url, each in structures.items():
        if each.get("derivation") != "constraint" or "snapshot" not in each:
            continue
        own = {key: value for key, value in each.items() if key != "snapshot"}
        facts = [facts_of(element) for element in each["snapshot"]["element"]]
        if facts != [facts_of(element) for element in snapshot(own, structures.get)]:
            different.add(url.removeprefix(CORE))

    assert different - {"provenance-relevant-history"} == DIFFERENT


def facts_of(element: Json) -> list[Any]:
    types = [(each["code"], each.get("profile")) for each in element.get("type", ())]
    return [*(element.get(key) for key in ("id", "path", "sliceName", "min", "max")), types]


def test_elements_of_types_are_put_in(definitions: Definitions) -> None:
    found = generated(definitions, profile({"path": "Patient.name.family", "min": 1}))

    assert found["Patient.name.family"]["min"] == 1
    assert found["Patient.name.given"]["max"] == "*"


def test_slices_are_copies_that_need_not_be_there(definitions: Definitions) -> None:
    found = generated(
        definitions,
        profile(
            {"path": "Observation.category", "min": 1},
            {"path": "Observation.category", "sliceName": "a"},
            {"path": "Observation.category.text", "fixedString": "x"},
            base="Observation",
        ),
    )

    assert found["Observation.category:a"]["min"] == 0
    assert found["Observation.category:a.text"]["fixedString"] == "x"
    assert "Observation.category.text" not in found


def test_slices_can_be_sliced_again(definitions: Definitions) -> None:
    elements = [{"path": "Patient.identifier", "sliceName": name} for name in ("a", "a/b")]

    found = generated(definitions, profile(*elements))

    assert {"Patient.identifier:a", "Patient.identifier:a/b"} <= found.keys()


def test_short_form_of_a_choice_narrows_it(definitions: Definitions) -> None:
    element = {"path": "Observation.valueQuantity.code", "min": 1}

    found = generated(definitions, profile(element, base="Observation"))

    assert [each["code"] for each in found["Observation.value[x]"]["type"]] == ["Quantity"]
    assert found["Observation.value[x]:valueQuantity.code"]["min"] == 1


def test_several_short_forms_are_slices(definitions: Definitions) -> None:
    elements = [{"path": f"Observation.value{name}"} for name in ("Quantity", "String")]

    found = generated(definitions, profile(*elements, base="Observation"))

    assert len(found["Observation.value[x]"]["type"]) > 2
    assert {"Observation.value[x]:valueQuantity", "Observation.value[x]:valueString"} <= set(found)


def test_constraints_add_up(definitions: Definitions) -> None:
    added = {"key": "x-1", "severity": "error", "human": "x", "expression": "true"}

    found = generated(definitions, profile({"path": "Patient", "constraint": [added]}))

    assert [each["key"] for each in found["Patient"]["constraint"]][-1] == "x-1"
    assert len(found["Patient"]["constraint"]) > 1


@pytest.mark.parametrize(
    "structure",
    [
        profile({"path": "Patient.colour"}),
        {"url": "http://x/p", "type": "Patient", "baseDefinition": "http://x/nothing"},
        {"url": CORE + "loop", "type": "Patient", "baseDefinition": "http://x/loop"},
    ],
)
def test_what_cannot_be_placed_is_told(definitions: Definitions, structure: Json) -> None:
    loop = {"type": "Patient", "baseDefinition": "http://x/loop"}

    def find(url: str) -> Json | None:
        return loop if url == "http://x/loop" else definitions.library.structures.get(url)

    with pytest.raises(SnapshotError):
        snapshot(structure, find)
