"""A further grant never hides; a further refusal, a narrower scope or an end never shows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, decide
from fhir_server.authz.grant import Clause, Grant, Rule
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.authz.single import holds
from fhir_server.model import Entry, Key, Version

RULES = (
    Rule("clinic", "TREAT", (Clause(),)),
    Rule(
        "clinic", "TREAT", (Clause(types=("Observation",)),), (Clause(codes=(("s", "a", True),)),)
    ),
    Rule("clinic", "TREAT", (Clause(codes=(("s", "b", False),)),)),
)
CALLER = Caller(
    "staff",
    "liu",
    duty="physician",
    organization="clinic",
    organizations=frozenset(("clinic",)),
    scopes=(Scope("user", "*", VERBS),),
    rules=RULES,
    now=10,
)
patients = st.lists(st.sampled_from(("p1", "p2")), max_size=2, unique=True).map(tuple)
records = st.builds(
    lambda type, owner, code, about: Version(
        Key(type, "1"),
        1,
        0,
        b"}}",
        auth=(Entry("_owner", owner), *((Entry("code", code, "s"),) if code else ())),
        patients=about,
    ),
    st.sampled_from(("Observation", "Condition", "Task")),
    st.sampled_from(("clinic", "hospital")),
    st.sampled_from(("", "a", "b", "bb")),
    patients,
)
grants = st.builds(
    Grant,
    patient=st.sampled_from(("p1", "p2")),
    recipient=st.sampled_from(("clinic", "other")),
    source=st.just("Consent/1"),
    start=st.sampled_from((0, 10, 11)),
    until=st.sampled_from((10, 11)),
    rule=st.sampled_from(("", *(rule.id for rule in RULES))),
    resources=st.sampled_from(((), ("Task/1",), ("Observation/1",))),
)


def sees(record: Version, given: list[Grant], caller: Caller = CALLER) -> bool:
    decision = decide(caller, record.key.type, "search")
    written = [(grant.write(), grant) for grant in given]
    found = [
        Version(write.key, 1, 0, write.body, auth=write.auth, patients=write.patients)
        for write, _ in written
    ]
    return isinstance(decision, Allow) and holds(decision.where, record, found, caller.now)


@given(records, st.lists(grants, max_size=4), grants)
def test_a_further_grant_never_hides(record: Version, held: list[Grant], more: Grant) -> None:
    assert sees(record, [*held, more]) or not sees(record, held)


@given(records, st.lists(grants, min_size=1, max_size=4))
def test_an_ended_grant_is_as_if_it_never_was(record: Version, held: list[Grant]) -> None:
    ended = [replace(held[0], until=CALLER.now), *held[1:]]

    assert sees(record, ended) == sees(record, held[1:])


@given(records, st.lists(grants, max_size=4), st.integers(0, 2), st.sampled_from(("", "a", "b")))
def test_a_further_refusal_never_shows(
    record: Version, held: list[Grant], place: int, code: str
) -> None:
    clause = Clause(codes=(("s", code, False),)) if code else Clause()
    stricter = replace(RULES[place], deny=(*RULES[place].deny, clause))
    rules = tuple(stricter if rule is RULES[place] else rule for rule in RULES)
    moved = [
        replace(grant, rule=stricter.id) if grant.rule == RULES[place].id else grant
        for grant in held
    ]

    assert sees(record, held) or not sees(record, moved, replace(CALLER, rules=rules))


@given(records, st.lists(grants, max_size=4), st.sampled_from(("Observation", "Task")))
def test_a_narrower_scope_never_shows(record: Version, held: list[Grant], type: str) -> None:
    narrow = replace(CALLER, scopes=(Scope("user", type, "s"),))

    assert sees(record, held) or not sees(record, held, narrow)


@given(records, st.lists(grants, max_size=4))
def test_nobody_sees_the_record_of_another_without_a_grant_for_each_patient(
    record: Version, held: list[Grant]
) -> None:
    theirs = record.auth[0].v == "hospital"
    named = any(str(record.key) in grant.resources for grant in held)
    about = {grant.patient for grant in held if grant.rule and grant.recipient == "clinic"}
    if theirs and not named and not (record.patients and about.issuperset(record.patients)):
        assert not sees(record, held)
