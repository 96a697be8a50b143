"""The validator never raises, whatever JSON it is given."""

import copy
from typing import Any

from conformance_samples import BUNDLE, DIV, OBSERVATION, PATIENT, Json
from hypothesis import given
from hypothesis import strategies as st

from conformance.definitions import load
from conformance.validator import Validator

DEFINITIONS = load()
VALIDATOR = Validator(DEFINITIONS)
KEYS = sorted(
    {
        key
        for name in ("Patient", "Observation", "Extension", "Reference", "HumanName", "Bundle")
        for element in DEFINITIONS.elements(name).values()
        for plain, _ in element.properties()
        for key in (plain, "_" + plain)
    }
    | {"resourceType", "reference", "coding", "resource", "div"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Patient", "Observation", "#a", "a", "Bundle", "2020-02-30", DIV, "#"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(VALUES)
def test_never_raises(value: Any) -> None:
    VALIDATOR.validate(value)


PRESSURE = OBSERVATION | {
    "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/bp"]},
    "category": [{"coding": [{"system": "http://x", "code": "a"}], "text": "x"}],
}


@given(st.sampled_from([PATIENT, OBSERVATION, BUNDLE, PRESSURE]), st.data())
def test_never_raises_on_a_resource_with_anything_anywhere(resource: Json, data: Any) -> None:
    changed = copy.deepcopy(resource)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, each in list(pairs):
            places.append((node, key))
            if isinstance(each, dict | list):
                walk(each)

    walk(changed)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(VALUES)

    for each in VALIDATOR.validate(changed):
        assert each.code
        assert each.diagnostics
        assert each.expression
