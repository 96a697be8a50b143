"""What can be told from the text of a search parameter's expression."""

import pytest

from conformance.definitions import SearchParameter
from fhir_server.search.elements import needed, on_type, read_by, targets


def reading(expression: str) -> SearchParameter:
    return SearchParameter("x", "token", ("Patient",), expression, (), (), "")


@pytest.mark.parametrize(
    ("expression", "properties"),
    [
        ("Patient.gender", {"gender", "_gender"}),
        (
            "(Patient.deceased as dateTime)",
            {"deceasedBoolean", "_deceasedBoolean", "deceasedDateTime", "_deceasedDateTime"},
        ),
        ("Group.code | Patient.active", {"active", "_active"}),
        ("Patient.deceased.exists() and Patient.deceased != false", None),
        ("Patient.nonsense", None),
        ("%resource.active", None),
    ],
)
def test_needed_properties_are_those_at_the_start_of_a_path(definitions, expression, properties):
    assert needed(definitions, "Patient", reading(expression)) == properties


def test_path_that_leads_nowhere_reads_no_element(definitions):
    assert list(read_by(definitions, "Patient", reading("Patient.name.nonsense"))) == []
    assert list(read_by(definitions, "Patient", reading("Patient.deceased"))) == []


def test_union_in_parentheses_is_left_whole(definitions):
    expression = "(Patient.name | Group.name).family"

    assert on_type(definitions, "Group", expression) == expression


@pytest.mark.parametrize(
    ("type_name", "code", "expected"),
    [
        ("Observation", "encounter", ("Encounter",)),
        ("Observation", "subject", ("Group", "Device", "Patient", "Location")),
        ("CarePlan", "patient", ("Patient",)),
        ("Encounter", "patient", ("Patient",)),
    ],
)
def test_targets_are_those_of_the_element_on_the_type(definitions, type_name, code, expected):
    parameter = definitions.search_parameters(type_name)[code]

    assert targets(definitions, type_name, parameter) == expected
