"""What each caller may do, decided on records in memory."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Allow, Deny, Verb, decide
from fhir_server.authz.grant import FOREVER, Clause, Grant, Rule
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.authz.single import holds
from fhir_server.model import Entry, Version

Make = Callable[..., Version]
OURS = Entry("_owner", "clinic")
THEIRS = Entry("_owner", "hospital")
VITAL = Entry("category", "vital-signs", "c")
VITALS = Rule("clinic", "TREAT", (Clause(categories=(("c", "vital-signs"),)),))


def grant(rule: Rule | None = None, **more: object) -> Version:
    values = {"patient": "p1", "recipient": "clinic", "source": "Consent/1", "start": 0} | more
    made = Grant(**values, rule=rule.id if rule else "")  # type: ignore[arg-type]
    write = made.write()
    return Version(write.key, 1, 0, write.body, auth=write.auth, patients=write.patients)


def may(caller: Caller, verb: Verb, version: Version, grants: tuple[Version, ...] = ()) -> bool:
    decision = decide(caller, version.key.type, verb)
    return isinstance(decision, Allow) and holds(decision.where, version, grants, caller.now)


def test_staff_read_what_their_institution_owns(doctor: Caller, record: Make) -> None:
    assert may(doctor, "read", record("Observation/1", OURS))
    assert not may(doctor, "read", record("Observation/1", THEIRS))


def test_a_record_without_an_owner_is_nobodys(doctor: Caller, record: Make) -> None:
    assert not may(doctor, "read", record("Observation/1"))


def test_a_rule_opens_nothing_without_a_grant(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, rules=(VITALS,))

    assert not may(caller, "read", record("Observation/1", THEIRS, VITAL))


def test_a_grant_opens_what_its_rule_says(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, rules=(VITALS,))
    granted = (grant(VITALS),)

    assert may(caller, "read", record("Observation/1", THEIRS, VITAL), granted)
    assert not may(caller, "read", record("Observation/1", THEIRS), granted)
    assert not may(caller, "read", record("Observation/1", THEIRS, VITAL, patients=()), granted)


@pytest.mark.parametrize(
    "change",
    [
        {"start": 1001},
        {"until": 1000},
        {"patient": "p2"},
        {"recipient": "other"},
    ],
)
def test_a_grant_for_another_time_patient_or_recipient_opens_nothing(
    doctor: Caller, record: Make, change: dict[str, object]
) -> None:
    caller = replace(doctor, rules=(VITALS,))
    granted = (grant(VITALS, **change),)

    assert not may(caller, "read", record("Observation/1", THEIRS, VITAL), granted)


def test_each_patient_of_a_record_must_be_granted(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, rules=(VITALS,))
    shared = record("Observation/1", THEIRS, VITAL, patients=("p1", "p2"))

    assert not may(caller, "read", shared, (grant(VITALS),))
    assert may(caller, "read", shared, (grant(VITALS), grant(VITALS, patient="p2")))


def test_a_rule_for_another_purpose_or_recipient_is_not_used(doctor: Caller, record: Make) -> None:
    seen = record("Observation/1", THEIRS, VITAL)
    for rule in (replace(VITALS, purpose="HRESCH"), replace(VITALS, recipient="other")):
        assert not may(replace(doctor, rules=(rule,)), "read", seen, (grant(rule),))


def test_a_package_opens_the_named_records_alone(doctor: Caller, record: Make) -> None:
    granted = (grant(resources=("Task/1", "Binary/1")),)

    assert may(doctor, "read", record("Task/1", THEIRS, patients=()), granted)
    assert not may(doctor, "read", record("Task/2", THEIRS, patients=()), granted)
    assert not may(doctor, "read", record("Binary/1", THEIRS, patients=()), ())


def test_the_receiver_changes_its_task_and_no_other(doctor: Caller, record: Make) -> None:
    granted = (grant(resources=("Task/1",)),)
    mine, other = Entry("owner", "Organization/clinic"), Entry("owner", "Organization/third")

    assert may(doctor, "update", record("Task/1", THEIRS, mine, patients=()), granted)
    assert not may(doctor, "update", record("Task/1", THEIRS, other, patients=()), granted)
    assert not may(doctor, "update", record("Task/1", THEIRS, mine, patients=()))
    assert not may(doctor, "delete", record("Task/1", THEIRS, mine, patients=()), granted)


def test_what_was_granted_is_read_not_written(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, rules=(VITALS,))
    seen = record("Observation/1", THEIRS, VITAL)

    assert not may(caller, "update", seen, (grant(VITALS),))
    assert not may(caller, "delete", seen, (grant(VITALS),))
    assert not may(caller, "create", seen, (grant(VITALS),))


def test_writes_demand_that_the_patient_is_known(doctor: Caller) -> None:
    observation = decide(doctor, "Observation", "create")
    consent = decide(doctor, "Consent", "create")

    assert isinstance(observation, Allow)
    assert observation.subjects == "readable"
    assert isinstance(consent, Allow)
    assert consent.subjects == "owned"


def test_a_patient_reads_the_own_record_alone(patient: Caller, record: Make) -> None:
    assert may(patient, "read", record("Observation/1", THEIRS))
    assert not may(patient, "read", record("Observation/1", THEIRS, patients=("p2",)))
    assert not may(patient, "read", record("Group/1", THEIRS, patients=("p1", "p2")))
    assert not may(patient, "read", record("Binary/1", THEIRS, patients=()))


def test_a_patient_writes_nothing_but_consents(patient: Caller, record: Make) -> None:
    assert may(patient, "update", record("Consent/1", THEIRS))
    assert not may(patient, "delete", record("Consent/1", THEIRS))
    assert not may(patient, "update", record("Observation/1", THEIRS))


def test_a_patient_scope_without_a_patient_is_refused(doctor: Caller) -> None:
    caller = replace(doctor, scopes=(Scope("patient", "*", VERBS),))

    assert isinstance(decide(caller, "Observation", "read"), Deny)


def test_staff_bound_to_a_patient_see_no_other(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, scopes=(Scope("patient", "*", VERBS),), patient="p1")

    assert may(caller, "read", record("Observation/1", OURS))
    assert not may(caller, "read", record("Observation/1", OURS, patients=("p2",)))
    assert not may(caller, "create", record("Observation/1", OURS, patients=("p2",)))
    assert not may(caller, "read", record("Task/1", OURS, patients=()))


def test_scopes_narrow_and_never_widen(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, scopes=(Scope("user", "Observation", "r"),))

    assert may(caller, "read", record("Observation/1", OURS))
    assert may(caller, "history", record("Observation/1", OURS))
    assert not may(caller, "search", record("Observation/1", OURS))
    assert not may(caller, "read", record("Condition/1", OURS))


def test_system_scopes_do_not_make_an_operator(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, scopes=(Scope("system", "*", VERBS),))

    assert not may(caller, "read", record("Observation/1", THEIRS))


def test_a_schedule_of_a_patient_is_a_record(doctor: Caller, record: Make) -> None:
    of_doctor = record("Schedule/1", Entry("actor", "Practitioner/1"), THEIRS, patients=())
    of_patient = record("Schedule/2", Entry("actor", "Patient/p1"), THEIRS)

    assert may(doctor, "read", of_doctor)
    assert not may(doctor, "read", of_patient)


def test_an_unknown_duty_reads_no_record_and_writes_nothing(doctor: Caller, record: Make) -> None:
    caller = replace(doctor, duty="janitor")

    assert not may(caller, "read", record("Observation/1", OURS))
    assert not may(caller, "create", record("Observation/1", OURS))
    assert may(caller, "read", record("Organization/clinic", patients=()))


def test_a_type_without_a_rule_is_denied(doctor: Caller) -> None:
    assert isinstance(decide(doctor, "Novelty", "read"), Deny)


@pytest.mark.parametrize("type", ["account", "audit", "token", "grant", "rule", "site", "client"])
def test_no_scope_reaches_internal_records(doctor: Caller, patient: Caller, type: str) -> None:
    for caller in (doctor, patient, replace(doctor, kind="feed"), replace(doctor, kind="auditor")):
        for verb in ("create", "read", "update", "delete", "search", "history"):
            assert isinstance(decide(caller, type, verb), Deny)


def test_a_grant_that_never_ends_holds(doctor: Caller, record: Make) -> None:
    granted = (grant(resources=("Task/1",), until=FOREVER),)

    assert may(doctor, "search", record("Task/1", THEIRS, patients=()), granted)
