"""A rule as a predicate of one type."""

import pytest

from fhir_server.authz.grant import Clause, Rule
from fhir_server.authz.rules import predicate
from fhir_server.model import Entry, Key
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.tree import EVERYTHING, NOTHING

LAB = (("c", "laboratory"), ("c", "imaging"))


def opens(permit: Clause, type: str, *entries: Entry, deny: tuple[Clause, ...] = ()) -> bool:
    rule = Rule("clinic", "TREAT", (permit,), deny)
    return evaluate(predicate(rule, type), Plain(Key(type, "1"), 0, entries, ("p1",)))


@pytest.mark.parametrize(
    ("permit", "type", "entries", "expected"),
    [
        (Clause(), "Condition", (), True),
        (Clause(types=("Condition",)), "Observation", (), False),
        (Clause(owner="hospital"), "Condition", (Entry("_owner", "hospital"),), True),
        (Clause(owner="hospital"), "Condition", (Entry("_owner", "other"),), False),
        (Clause(categories=LAB), "Observation", (Entry("category", "imaging", "c"),), True),
        (Clause(categories=LAB), "Observation", (Entry("category", "imaging", "d"),), False),
        (Clause(categories=LAB), "Patient", (), False),
        (Clause(codes=(("s", "I1", False),)), "Condition", (Entry("code", "I10", "s"),), True),
        (Clause(codes=(("s", "I1", True),)), "Condition", (Entry("code", "I10", "s"),), False),
        (Clause(codes=(("s", "x", True),)), "Immunization", (Entry("vaccine-code", "x", "s"),), 1),
        (Clause(codes=(("s", "x", True),)), "Immunization", (Entry("code", "x", "s"),), False),
        (Clause(labels=(("l", "N"),)), "Condition", (Entry("_security", "N", "l"),), True),
        (Clause(labels=(("l", "N"),)), "Condition", (), False),
    ],
)
def test_a_clause_permits_what_says_all_that_it_asks(
    permit: Clause, type: str, entries: tuple[Entry, ...], expected: bool
) -> None:
    assert opens(permit, type, *entries) == expected


@pytest.mark.parametrize(
    ("deny", "type", "entries", "expected"),
    [
        (Clause(types=("Observation",)), "Condition", (), True),
        (Clause(types=("Condition",)), "Condition", (), False),
        (Clause(categories=LAB), "Observation", (Entry("category", "vital", "c"),), True),
        (Clause(categories=LAB), "Observation", (), False),
        (Clause(categories=LAB), "Patient", (), True),
        (Clause(owner="hospital"), "Condition", (Entry("_owner", "clinic"),), True),
        (Clause(labels=(("l", "R"),)), "Condition", (), True),
        (Clause(labels=(("l", "R"),)), "Condition", (Entry("_security", "R", "l"),), False),
    ],
)
def test_a_clause_denies_what_may_be_what_it_asks(
    deny: Clause, type: str, entries: tuple[Entry, ...], expected: bool
) -> None:
    assert opens(Clause(), type, *entries, deny=(deny,)) == expected


def test_a_rule_that_permits_nothing_of_a_type_asks_no_store() -> None:
    assert predicate(Rule("clinic", "TREAT", (Clause(types=("X",)),)), "Y") == NOTHING
    assert predicate(Rule("clinic", "TREAT", (Clause(),)), "Y") == EVERYTHING


def test_equal_rules_are_one_record_and_others_are_not() -> None:
    one, same = Rule("c", "TREAT", (Clause(),)), Rule("c", "TREAT", (Clause(),))

    assert one.id == same.id
    assert len({one.id, Rule("d", "TREAT", (Clause(),)).id, Rule("c", "X", (Clause(),)).id}) == 3
