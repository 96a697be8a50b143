"""The transition table and the decision made from it."""

import pytest

from fhir_server.referral.codes import BUSINESS_STATUSES, business_concept
from fhir_server.referral.states import (
    ABSENT,
    FIXED,
    TABLE,
    Faulty,
    Illegal,
    Row,
    decide,
    legal,
    role_of,
)

BOTH = {"initiator", "recipient"}
# https://hl7.org/fhir/R4/valueset-task-status.html
STATUSES = {
    *("draft", "requested", "received", "accepted", "rejected", "ready", "cancelled"),
    *("in-progress", "on-hold", "failed", "completed", "entered-in-error"),
}

CHANGES = [row for row in TABLE if ABSENT not in (row.before[-1], row.after)]


def task(status, business="", **more):
    named = {"businessStatus": business_concept(business)} if business else {}
    parties = {
        "requester": {"reference": "Organization/a"},
        "owner": {"reference": "Organization/b"},
    }
    return {"resourceType": "Task", "status": status, **named, **parties, **more}


def issues(decision):
    assert isinstance(decision, Faulty), decision
    return [issue.expression for issue in decision.issues]


def test_every_status_of_the_table_is_one_of_fhir():
    used = {status for row in TABLE for status in (*row.before, row.after)} - {ABSENT, ""}

    assert used <= STATUSES
    assert used >= {"draft", "requested", "received", "accepted", "rejected", "in-progress"}
    assert used >= {"completed", "cancelled", "failed", "on-hold", "entered-in-error"}


def test_every_business_status_of_the_table_has_words():
    used = {code for row in TABLE for code in (row.business, *row.during)} - {""}

    assert used <= BUSINESS_STATUSES.keys()


def test_no_step_writes_what_never_changes():
    assert not [row for row in TABLE if set(row.writes) & set(FIXED)]


def test_every_tid_is_one_row():
    assert len({row.tid for row in TABLE}) == len(TABLE)


def test_a_name_is_one_step_in_a_state():
    """A name tells one row among those of a party and a status: an operation is not ambiguous."""
    seen = [(row.name, row.actor, before) for row in TABLE for before in row.before]

    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.tid)
def test_each_row_can_be_taken(row: Row):
    for status in row.before:
        before = None if status == ABSENT else task(status, (*row.during, "")[0])
        more = {"statusReason": {"text": "because"}} if row.reason else {}
        if row.after == "" and not row.business:
            more["note"] = [{"text": "a"}]
        after = (
            None if row.target(status) == ABSENT else task(row.target(status), row.business, **more)
        )

        assert decide(before, after, {row.actor}) == row


@pytest.mark.parametrize("row", [row for row in TABLE if row.reason], ids=lambda row: row.tid)
@pytest.mark.parametrize("reason", [{}, {"statusReason": {"text": "  "}}, {"statusReason": {}}])
def test_a_reason_is_demanded(row: Row, reason):
    before = task(row.before[0], (*row.during, "")[0])
    after = task(row.target(row.before[0]), row.business, **reason)

    assert issues(decide(before, after, {row.actor})) == ["Task.statusReason"]


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.tid)
def test_what_never_changes_is_refused_by_every_step(row: Row, name):
    before = task(row.before[-1], (*row.during, "")[0])
    changed = {name: {"reference": "Organization/c"}, "statusReason": {"text": "because"}}
    allowed = changed if "statusReason" in row.writes else {name: changed[name]}
    after = task(row.target(row.before[-1]), row.business) | allowed

    assert issues(decide(before, after, {row.actor})) == [f"Task.{name}"]


def test_a_party_has_no_step_of_the_other():
    assert decide(task("requested"), task("accepted"), {"initiator"}) == Illegal(
        legal(task("requested"), {"initiator"})
    )


def test_the_legal_steps_of_a_receiver():
    names = [row.name for row in legal(task("requested"), {"recipient"})]

    assert names == ["receive", "accept", "decline", "redirect", "hold", "note"]


@pytest.mark.parametrize("status", ["completed", "failed", "entered-in-error"])
def test_a_final_state_has_no_step_for_the_parties(status):
    assert legal(task(status), BOTH) == ()


def test_a_change_that_changes_nothing_is_no_step():
    """A second acceptance finds the Task accepted: it must not look like a success."""
    assert isinstance(decide(task("accepted"), task("accepted"), BOTH), Illegal)


@pytest.mark.parametrize("status", sorted(STATUSES - {"draft", "requested"}))
def test_a_referral_begins_as_draft_or_requested(status):
    assert isinstance(decide(None, task(status), BOTH), Illegal)


def test_a_sent_referral_is_not_deleted():
    assert isinstance(decide(task("requested"), None, BOTH), Illegal)


def test_business_status_tells_rows_apart():
    before = task("in-progress", "scheduled")
    after = task("in-progress", "unattended", statusReason={"text": "forgot"})

    assert decide(before, after, {"recipient"}).name == "miss"


def test_a_business_status_that_no_step_leads_to_is_illegal():
    assert isinstance(
        decide(task("requested"), task("accepted", "completed"), {"recipient"}), Illegal
    )


def test_a_business_status_of_another_system_is_refused():
    after = task("accepted", businessStatus={"coding": [{"system": "http://x", "code": "y"}]})

    assert issues(decide(task("requested"), after, {"recipient"})) == ["Task.businessStatus"]


def test_a_note_is_added_not_replaced():
    before = task("accepted", note=[{"text": "a"}])

    assert decide(before, task("accepted", note=[{"text": "a"}, {"text": "b"}]), {"recipient"})
    assert issues(decide(before, task("accepted", note=[{"text": "b"}]), {"recipient"})) == [
        "Task.note"
    ]


def test_a_draft_may_be_rewritten():
    before = task("draft", note=[{"text": "a"}])

    assert decide(before, task("draft", note=[]), {"initiator"}).name == "edit"


def test_an_institution_on_both_sides_takes_the_step_that_fits():
    before = task("accepted")
    after = task("accepted", output=[{"type": {"text": "note"}, "valueString": "x"}])

    assert decide(before, after, BOTH).name == "note"


@pytest.mark.parametrize(
    ("mine", "roles"),
    [
        ({"a"}, {"initiator"}),
        ({"b", "ward"}, {"recipient"}),
        ({"a", "b"}, BOTH),
        ({"c"}, set()),
        ({""}, set()),
    ],
)
def test_roles_follow_requester_and_owner(mine, roles):
    assert role_of(task("draft"), mine) == roles


def test_no_organization_is_nobody():
    """A Task whose requester is no Organization has no initiator, also for a caller without one."""
    nobody = {"requester": {"reference": "Practitioner/a"}, "status": "draft"}

    assert role_of(nobody, {""}) == set()
