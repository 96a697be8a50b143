"""https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

import pytest

from conformance.definitions import Definitions
from fhir_server.authz.scopes import Scope, parse, permits, text
from fhir_server.errors import BadRequest


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("user/Observation.rs", "user/Observation.rs"),
        ("patient/*.cruds", "patient/*.cruds"),
        ("user/Observation.read", "user/Observation.rs"),
        ("user/Observation.write", "user/Observation.cud"),
        ("system/*.*", "system/*.cruds"),
        ("user/Task.u user/Task.u  user/Patient.r", "user/Task.u user/Patient.r"),
    ],
)
def test_scopes_have_one_canonical_text(
    definitions: Definitions, given: str, canonical: str
) -> None:
    assert text(parse(given, definitions.resource_types)) == canonical


@pytest.mark.parametrize(
    "given",
    [
        "",
        "user/Observation.",
        "user/Observation.sr",
        "user/Observation.rr",
        "user/Observation.x",
        "user/Obervation.r",
        "user/account.r",
        "User/Observation.r",
        "user%2FObservation.r",
        "user/Observation.rs\u00a0",
        "group/Observation.r",
        "launch/patient",
        "user/Observation.r system/Observation.s",
        "patient/Observation.r user/Observation.s",
    ],
)
def test_what_is_no_scope_is_refused(definitions: Definitions, given: str) -> None:
    with pytest.raises(BadRequest):
        parse(given, definitions.resource_types)


@pytest.mark.parametrize(
    "given",
    [
        "user/Observation.rs?category=laboratory",
        "user/Observation.rs?category:not=laboratory",
        "user/*.rs?_security=N",
    ],
)
def test_a_scope_with_a_query_is_refused_as_not_supported(
    definitions: Definitions, given: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(given, definitions.resource_types)

    assert [issue.code for issue in refusal.value.issues] == ["not-supported"]


def test_each_bad_part_has_its_issue(definitions: Definitions) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse("user/Nothing.r user/Patient.r user/Patient", definitions.resource_types)

    assert len(refusal.value.issues) == 2


def test_no_scope_permits_nothing() -> None:
    assert not permits((), "Patient", "r")


@pytest.mark.parametrize(
    ("scope", "type", "letter", "expected"),
    [
        (Scope("user", "*", "r"), "Patient", "r", True),
        (Scope("user", "*", "r"), "Patient", "s", False),
        (Scope("user", "Patient", "cruds"), "Patient", "d", True),
        (Scope("user", "Patient", "cruds"), "Person", "r", False),
    ],
)
def test_scopes_permit_by_type_and_verb(
    scope: Scope, type: str, letter: str, expected: bool
) -> None:
    assert permits((scope,), type, letter) == expected
