"""The in-memory reader of the search tree."""

import pytest

from fhir_server.model import Entry, Key, Version
from fhir_server.search.evaluate import Plain, Plainly, authorizable, evaluate
from fhir_server.search.tree import (
    EVERYTHING,
    NOTHING,
    NOW,
    And,
    Chain,
    Cond,
    ForEachPatient,
    Has,
    Ids,
    InPatient,
    Match,
    Node,
    Not,
    OnlyPatients,
    Or,
    Together,
    Updated,
    missing,
)

WANG = Plain(
    Key("Patient", "wang"), 5, (Entry("family", "wang"), Entry("active", "true")), ("wang",)
)
LI = Plain(Key("Patient", "li"), 6, (Entry("family", "li"),), ("li",))
PRESSURE = Plain(
    Key("Observation", "bp"),
    1000,
    (
        Entry("code", "85354-9", "http://loinc.org"),
        Entry("date", 100, 200),
        Entry("subject", "Patient/wang"),
        Entry("code-value.0", "sys", group=1),
        Entry("code-value.1", 140, 140, group=1),
        Entry("code-value.0", "dia", group=2),
        Entry("code-value.1", 90, 90, group=2),
        Entry("name", "inside", path="#1"),
    ),
    ("wang",),
)
FAMILY = Plain(Key("Group", "family"), 0, (), ("wang", "li"))
GRANT = Plain(
    Key("grant", "g"), 0, (Entry("until", 50), Entry("resource", "Group/family")), ("wang",)
)
WORLD = Plainly([WANG, LI, PRESSURE, FAMILY, GRANT])


def _eq(param: str, value: str | int) -> Match:
    return Match(param, (Cond("v", "=", value),))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (EVERYTHING, True),
        (NOTHING, False),
        (_eq("code", "85354-9"), True),
        (Match("code", (Cond("v", "=", "85354-9"), Cond("w", "=", "http://other"))), False),
        (Match("date", (Cond("v", "<", 150), Cond("w", ">", 150))), True),
        (Match("date", (Cond("v", ">", NOW),)), True),
        (Match("code", (Cond("v", "prefix", "8535"),)), True),
        (Match("code", (Cond("v", "contains", "54-"),)), True),
        (Match("code", (Cond("v", "in", ("a", "85354-9")),)), True),
        (Match("code", (Cond("v", ">", 5),)), False),
        (Match("date", (Cond("v", "prefix", "1"),)), False),
        (missing("value"), True),
        (missing("code"), False),
        (_eq("name", "inside"), False),
        (Together("code-value", ((Cond("v", "=", "sys"),), (Cond("v", ">", 100),))), True),
        (Together("code-value", ((Cond("v", "=", "dia"),), (Cond("v", ">", 100),))), False),
        (Ids(frozenset({"bp"})), True),
        (Updated((Cond("v", ">=", 1000),)), True),
        (Updated((Cond("v", "<", 1000),)), False),
        (And((_eq("code", "85354-9"), NOTHING)), False),
        (Or((_eq("code", "85354-9"), NOTHING)), True),
        (Not(_eq("code", "85354-9")), False),
        (Chain("subject", "Patient", _eq("family", "wang")), True),
        (Chain("subject", "Patient", _eq("family", "li")), False),
        (Chain("subject", "Group", EVERYTHING), False),
        (InPatient("wang"), True),
        (InPatient("li"), False),
        (OnlyPatients(frozenset({"wang"})), True),
        (ForEachPatient("grant", Match("until", (Cond("v", ">", NOW),))), True),
        (ForEachPatient("grant", Match("until", (Cond("v", "<=", NOW),))), False),
    ],
)
def test_node(node: Node, expected: bool) -> None:
    assert evaluate(node, PRESSURE, WORLD, now=20) is expected


def test_has_follows_references_backwards() -> None:
    asked = Has("Observation", "subject", _eq("code", "85354-9"))

    assert [evaluate(asked, patient, WORLD) for patient in (WANG, LI)] == [True, False]


def test_record_of_several_patients_needs_all_of_them() -> None:
    assert evaluate(InPatient("li"), FAMILY, WORLD)
    assert not evaluate(OnlyPatients(frozenset({"wang"})), FAMILY, WORLD)
    assert evaluate(OnlyPatients(frozenset({"wang", "li", "zhao"})), FAMILY, WORLD)
    assert not evaluate(ForEachPatient("grant", EVERYTHING), FAMILY, WORLD)


def test_record_of_nobody_is_in_no_compartment() -> None:
    nobody = Plain(Key("Organization", "o"), 0, (), ())

    assert not evaluate(OnlyPatients(frozenset({"wang"})), nobody, WORLD)
    assert not evaluate(ForEachPatient("grant", EVERYTHING), nobody, WORLD)


def test_version_is_seen_by_its_authorization_entries() -> None:
    version = Version(Key("Basic", "1"), 1, 7, b"{}", auth=(Entry("_owner", "h"),), patients=("p",))

    assert evaluate(And((_eq("_owner", "h"), InPatient("p"))), authorizable(version))


def test_what_is_no_node_is_refused() -> None:
    with pytest.raises(TypeError, match="not a search node"):
        evaluate("code=1", WANG)  # type: ignore[arg-type]
