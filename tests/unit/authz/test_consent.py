"""R4 provisions: https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.authz.caller import Caller
from fhir_server.authz.consent import (
    CATEGORY,
    SCOPE,
    closed,
    grants,
    is_referral_consent,
    may_write,
    problems,
    rules_of,
    settled,
)
from fhir_server.authz.grant import FOREVER, Grant, read_grant
from fhir_server.authz.provision import CONFIDENTIALITY, RESOURCE_TYPES
from fhir_server.authz.rules import predicate
from fhir_server.model import Entry, Key, Version
from fhir_server.search.evaluate import Plain, evaluate

Json = dict[str, Any]
TYPES = ("Condition", "Observation", "Procedure")
CODES = ("a", "b", "ab")
NOW = 1_790_000_000_000


def actor(*names: str) -> list[Json]:
    role = {"coding": [{"code": "IRCP"}]}
    return [{"role": role, "reference": {"reference": f"Organization/{name}"}} for name in names]


def classes(*names: str) -> list[Json]:
    return [{"system": RESOURCE_TYPES, "code": name} for name in names]


def codes(*names: str, system: str = "s") -> list[Json]:
    return [{"coding": [{"system": system, "code": name}]} for name in names]


def consent(provision: Json, **more: Any) -> Json:
    return {
        "resourceType": "Consent",
        "id": "1",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "x", "code": "y"}]}],
        "patient": {"reference": "Patient/p1"},
        "provision": provision,
    } | more


def opens(
    given: Json, to: str, record: Plain, now: int = NOW, against: tuple[Json, ...] = ()
) -> bool:
    return any(
        recipient == to
        and start <= now < until
        and rule.purpose == "TREAT"
        and evaluate(predicate(rule, record.key.type), record)
        for recipient, rule, start, until in rules_of(given, against)
    )


def record(type: str, *names: str, label: str = "") -> Plain:
    entries = [Entry("code", name, "s") for name in names]
    if label:
        entries.append(Entry("_security", label, CONFIDENTIALITY))
    return Plain(Key(type, "1"), 0, entries, ("p1",))


REFERRAL = {"category": [{"coding": [{"system": CATEGORY, "code": "referral"}]}]}
PERMIT = {"type": "permit", "actor": actor("clinic")}


def test_a_permit_opens_to_who_is_named_and_to_nobody_else() -> None:
    given = consent(PERMIT)

    assert opens(given, "clinic", record("Observation"))
    assert not opens(given, "other", record("Observation"))


def test_a_permit_that_names_nobody_opens_nothing() -> None:
    given = consent({"type": "permit"})

    assert rules_of(given) == ()
    assert [issue.code for issue in problems(given)] == ["incomplete"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "inactive"},
        {"status": "draft"},
        {"scope": {"coding": [{"system": SCOPE, "code": "research"}]}},
        {"patient": {"reference": "http://elsewhere/Patient/p1"}},
        {"modifierExtension": [{"url": "u"}]},
    ],
)
def test_a_consent_that_is_not_computable_opens_nothing(change: Json) -> None:
    assert rules_of(consent(PERMIT, **change)) == ()


@pytest.mark.parametrize(
    "part",
    [
        {"dataPeriod": {"start": "2020"}},
        {"data": [{"meaning": "instance", "reference": {"reference": "Observation/1"}}]},
        {"modifierExtension": [{"url": "u"}]},
        {"class": [{"system": "urn:ietf:bcp:13", "code": "application/hl7-cda+xml"}]},
        {"code": [{"text": "all about my heart"}]},
        {"code": codes("made-up", system="https://fhir-hub.example/CodeSystem/data-category")},
        {"actor": [{"role": {}, "reference": {"reference": "Practitioner/1"}}]},
        {"purpose": [{"system": "p", "code": "TREAT"}]},
        {"action": [{"coding": [{"system": "a", "code": "access"}]}]},
        {"action": [{"text": "look"}]},
        {"securityLabel": [{"system": "l", "code": "a"}, {"system": "l", "code": "b"}]},
        {"period": {"start": "soon"}},
    ],
)
def test_what_is_not_understood_opens_nothing_and_is_told(part: Json) -> None:
    given = consent(PERMIT | part)

    assert not opens(given, "clinic", record("Observation", "a"))
    assert problems(given)


@pytest.mark.parametrize(
    "part",
    [
        {"dataPeriod": {"start": "2020"}},
        {"data": [{"meaning": "instance", "reference": {"reference": "Observation/1"}}]},
        {"modifierExtension": [{"url": "u"}]},
        {"class": [{"system": "urn:ietf:bcp:13", "code": "application/hl7-cda+xml"}]},
        {"code": [{"text": "all about my heart"}]},
        {"actor": [{"role": {}, "reference": {"reference": "Practitioner/1"}}]},
        {"purpose": [{"system": "p", "code": "x"}]},
        {"action": [{"text": "look"}]},
        {"period": {"start": "soon"}},
    ],
)
def test_a_refusal_that_is_not_understood_refuses_at_least_what_is_meant(part: Json) -> None:
    given = consent(PERMIT | {"provision": [{"type": "deny"} | part]})

    assert not opens(given, "clinic", record("Observation", "a"))
    assert problems(given)


def test_an_exception_denies_within_a_permission() -> None:
    given = consent(PERMIT | {"provision": [{"type": "deny", "class": classes("Condition")}]})

    assert opens(given, "clinic", record("Observation"))
    assert not opens(given, "clinic", record("Condition"))


def test_an_exception_to_an_exception_permits_again() -> None:
    inner = {"type": "permit", "code": codes("a")}
    deny = {"type": "deny", "class": classes("Condition"), "provision": [inner]}
    given = consent(PERMIT | {"provision": [deny]})

    assert opens(given, "clinic", record("Condition", "a"))
    assert not opens(given, "clinic", record("Condition", "b"))


def test_a_root_that_denies_is_opened_by_its_exceptions() -> None:
    given = consent({"type": "deny", "provision": [PERMIT | {"class": classes("Observation")}]})

    assert opens(given, "clinic", record("Observation"))
    assert not opens(given, "clinic", record("Condition"))


@pytest.mark.parametrize(("policy", "opened"), [("OPTIN", True), ("OPTOUT", False), ("x", False)])
def test_a_root_without_a_type_follows_the_base_policy(policy: str, opened: bool) -> None:
    rule = {"coding": [{"system": "v3", "code": policy}]}
    given = consent({"actor": actor("clinic")}, policyRule=rule)

    assert opens(given, "clinic", record("Observation")) == opened


def test_a_record_that_does_not_say_its_code_is_not_permitted_by_code() -> None:
    assert not opens(consent(PERMIT | {"code": codes("a")}), "clinic", record("Observation"))


def test_a_record_that_does_not_say_its_code_is_denied_by_code() -> None:
    given = consent(PERMIT | {"provision": [{"type": "deny", "code": codes("a")}]})

    assert not opens(given, "clinic", record("Observation"))
    assert opens(given, "clinic", record("Observation", "b"))
    assert opens(given, "clinic", record("Patient"))


def test_a_label_denies_from_it_upwards_and_permits_from_it_downwards() -> None:
    label = {"securityLabel": [{"system": CONFIDENTIALITY, "code": "R"}]}
    denies = consent(PERMIT | {"provision": [{"type": "deny"} | label]})
    permits = consent(PERMIT | label)

    assert [opens(denies, "clinic", record("Observation", label=x)) for x in "NRV"] == [1, 0, 0]
    assert [opens(permits, "clinic", record("Observation", label=x)) for x in "NRV"] == [1, 1, 0]
    assert not opens(permits, "clinic", record("Observation"))


def test_a_period_has_open_ends_and_its_last_day_counts() -> None:
    given = consent(PERMIT | {"period": {"end": "2026-12-31"}})
    [(_, _, start, until)] = rules_of(given)

    assert (start, until) == (0, 1_798_732_800_000)  # 2027-01-01T00:00:00+08:00


def test_a_refusal_for_a_time_splits_the_permission() -> None:
    deny = {"type": "deny", "period": {"start": "2026-12-01", "end": "2026-12-31"}}
    given = consent(PERMIT | {"provision": [deny]})
    spans = [(start, until) for _, _, start, until in rules_of(given)]

    assert spans == [(0, 1_796_054_400_000), (1_798_732_800_000, FOREVER)]


def test_a_custodian_is_no_recipient() -> None:
    custodian = {
        "role": {"coding": [{"code": "CST"}]},
        "reference": {"reference": "Organization/hospital"},
    }
    given = consent({"type": "permit", "actor": [*actor("clinic"), custodian]})

    assert {recipient for recipient, *_ in rules_of(given)} == {"clinic"}


def test_hypertension_means_its_codes_and_prefixes() -> None:
    category = "https://fhir-hub.example/CodeSystem/data-category"
    given = consent(PERMIT | {"code": codes("hypertension", system=category)})

    def coded(type: str, system: str, code: str) -> bool:
        entry = Entry("code", code, system)
        return opens(given, "clinic", Plain(Key(type, "1"), 0, [entry], ("p1",)))

    icd, loinc, atc = (
        "http://hl7.org/fhir/sid/icd-10",
        "http://loinc.org",
        "http://www.whocc.no/atc",
    )
    assert coded("Condition", icd, "I10.x00x002")
    assert not coded("Condition", icd, "F20.0")
    assert coded("Observation", loinc, "85354-9")
    assert not coded("Observation", loinc, "75622-1")
    assert coded("MedicationRequest", atc, "C08CA01")
    assert not coded("MedicationRequest", atc, "N05AH02")
    assert opens(given, "clinic", record("Patient"))
    assert not opens(given, "clinic", record("DocumentReference"))


# Two consents of one patient: the stricter wins.


def test_what_one_consent_refuses_no_other_permits() -> None:
    refusal = consent({"type": "deny", "actor": actor("clinic"), "class": classes("Condition")})

    assert opens(consent(PERMIT), "clinic", record("Observation"), against=(refusal,))
    assert not opens(consent(PERMIT), "clinic", record("Condition"), against=(refusal,))


def test_the_ground_of_one_consent_does_not_refuse_what_another_permits() -> None:
    other = consent({"type": "deny", "provision": [PERMIT | {"class": classes("Condition")}]})

    assert opens(consent(PERMIT), "clinic", record("Observation"), against=(other,))


# The whole semantics, against a slow reading of the specification's sentences.

conditions = st.fixed_dictionaries(
    {},
    optional={
        "class": st.sets(st.sampled_from(TYPES), min_size=1).map(lambda s: classes(*sorted(s))),
        "code": st.sets(st.sampled_from(CODES), min_size=1).map(lambda s: codes(*sorted(s))),
        "actor": st.sets(st.sampled_from(("clinic", "other")), min_size=1).map(
            lambda s: actor(*sorted(s))
        ),
        "period": st.sampled_from(({"end": "2026-01-01"}, {"start": "2026-01-01"})),
    },
)


def provisions(nested: st.SearchStrategy[list[Json]]) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda base, type, below: base | {"type": type, "provision": below},
        conditions,
        st.sampled_from(("permit", "deny")),
        nested,
    )


leaves = provisions(st.just([]))
inner = st.recursive(leaves, lambda below: provisions(st.lists(below, max_size=3)), max_leaves=6)
trees = provisions(st.lists(inner, max_size=3))
records = st.builds(
    lambda type, names: record(type, *names),
    st.sampled_from(TYPES),
    st.sets(st.sampled_from(CODES), max_size=2),
)


def applies(provision: Json, to: str, asked: Plain, now: int) -> bool:
    named = {a["reference"]["reference"] for a in provision.get("actor", [])}
    types = {c["code"] for c in provision.get("class", [])}
    asked_codes = {c["coding"][0]["code"] for c in provision.get("code", [])}
    border = 1_767_196_800_000 if "start" in provision.get("period", {}) else 1_767_283_200_000
    late = now >= border
    return (
        (not named or f"Organization/{to}" in named)
        and (not types or asked.key.type in types)
        and (not asked_codes or any(e.v in asked_codes for e in asked.entries))
        and ("period" not in provision or late == ("start" in provision["period"]))
    )


def decides(provision: Json, to: str, asked: Plain, now: int) -> str:
    """Return permit, deny, or nothing where the provision's conditions do not hold."""
    if not applies(provision, to, asked, now):
        return ""
    below = {decides(child, to, asked, now) for child in provision["provision"]}
    return "deny" if "deny" in below else "permit" if "permit" in below else provision["type"]


@settings(max_examples=300)
@given(trees, records, st.sampled_from((NOW, 1_700_000_000_000)))
def test_nothing_is_opened_that_the_provisions_do_not_permit(
    tree: Json, asked: Plain, now: int
) -> None:
    if opens(consent(tree), "clinic", asked, now):
        assert decides(tree, "clinic", asked, now) == "permit"


def names_clinic(tree: Json) -> bool:
    return any(a["reference"]["reference"] == "Organization/clinic" for a in tree.get("actor", ()))


@settings(max_examples=300)
@given(trees, st.sampled_from(TYPES), st.sampled_from((NOW, 1_700_000_000_000)))
def test_all_is_opened_that_two_levels_of_provisions_permit(
    tree: Json, type: str, now: int
) -> None:
    """Where no provision asks for codes the regions are exact, one exception deep."""
    for child in tree["provision"]:
        child["provision"] = []
        child.pop("code", None)
    tree.pop("code", None)
    if names_clinic(tree) and decides(tree, "clinic", record(type), now) == "permit":
        assert opens(consent(tree), "clinic", record(type), now)


@given(trees, records)
def test_a_further_refusal_never_opens(tree: Json, asked: Plain) -> None:
    stricter = tree | {"provision": [*tree["provision"], {"type": "deny", "provision": []}]}

    assert not opens(consent(stricter), "clinic", asked) or opens(consent(tree), "clinic", asked)


@given(trees, trees, records)
def test_another_consent_never_opens_more_of_this_one(
    tree: Json, other: Json, asked: Plain
) -> None:
    if opens(consent(tree), "clinic", asked, against=(consent(other),)):
        assert opens(consent(tree), "clinic", asked)


# Grants.


def test_a_consent_opens_its_grants_when_it_is_written() -> None:
    rules, opened = grants(consent(PERMIT), NOW)

    assert [rule.recipient for rule in rules] == ["clinic"]
    assert [(g.patient, g.source, g.until, g.rule) for g in opened] == [
        ("p1", "Consent/1", FOREVER, rules[0].id)
    ]


def test_a_referrals_consent_opens_by_its_task_alone_and_from_then_on() -> None:
    given = consent(PERMIT, **REFERRAL)

    assert is_referral_consent(given)
    assert grants(given, NOW) == ((), ())
    assert [(g.via, g.start) for g in grants(given, NOW, "Task/1")[1]] == [("Task/1", NOW)]


def test_a_consent_that_is_over_opens_nothing() -> None:
    assert grants(consent(PERMIT | {"period": {"end": "2026-01-01"}}), NOW) == ((), ())


def test_closing_ends_what_is_open_and_only_that() -> None:
    _, opened = grants(consent(PERMIT), NOW)
    over = Grant("p1", "clinic", "Consent/2", 0, until=5)

    writes = closed((*opened, over), NOW)

    assert [write.key.id for write in writes] == [opened[0].id]
    assert Entry("until", NOW) in writes[0].entries


def grants_in(writes: Any) -> list[Grant]:
    return [read_grant(Version(w.key, 1, 0, w.body)) for w in writes if w.key.type == "grant"]


def test_settling_opens_then_changes_nothing_then_closes() -> None:
    given = consent(PERMIT)
    opened = grants_in(settled([given], [], NOW))

    assert [grant.until for grant in opened] == [FOREVER]
    assert grants_in(settled([given], opened, NOW + 1)) == []
    ended = grants_in(settled([given | {"status": "inactive"}], opened, NOW + 2))
    assert [(grant.id, grant.until) for grant in ended] == [(opened[0].id, NOW + 2)]


def test_settling_a_withdrawn_referral_consent_closes_its_package_too() -> None:
    given = consent(PERMIT, **REFERRAL)
    pull = grants(given, NOW, "Task/1")[1]
    package = Grant("p1", "clinic", "Consent/1", NOW, resources=("Patient/p1",), via="Task/1")

    kept = settled([given], [*pull, package], NOW + 1)
    ended = settled([given | {"status": "inactive"}], [*pull, package], NOW + 1)

    assert grants_in(kept) == []
    assert {grant.id for grant in grants_in(ended)} == {pull[0].id, package.id}


def test_settling_opens_no_referral_that_was_not_accepted() -> None:
    assert settled([consent(PERMIT, **REFERRAL)], [], NOW) == ()


def test_settling_a_new_refusal_narrows_what_another_consent_opened() -> None:
    given = consent(PERMIT)
    opened = grants_in(settled([given], [], NOW))
    refusal = consent({"type": "deny", "actor": actor("clinic")}, id="2")

    ended = grants_in(settled([given, refusal], opened, NOW + 1))

    assert [(grant.id, grant.until) for grant in ended] == [(opened[0].id, NOW + 1)]


# Who writes a consent.


def test_a_recipient_does_not_write_the_consent_that_opens_to_it(doctor: Caller) -> None:
    assert may_write(doctor, None, consent(PERMIT), owner="hospital")
    assert not may_write(doctor, None, consent(PERMIT), owner="clinic")


def test_a_patient_gives_and_withdraws(patient: Caller) -> None:
    given = consent(PERMIT)

    assert not may_write(patient, None, given, owner="hospital")
    assert not may_write(patient, given, given | {"status": "inactive"}, owner="hospital")


@pytest.mark.parametrize(
    "change",
    [
        {"provision": {"type": "permit"}},
        {"patient": {"reference": "Patient/p2"}},
        {"status": "entered-in-error"},
        {"category": []},
    ],
)
def test_a_patient_changes_nothing_else(patient: Caller, change: Json) -> None:
    given = consent(PERMIT)

    assert may_write(patient, given, given | change, owner="hospital")


def test_a_patient_does_not_delete_or_write_for_another(patient: Caller) -> None:
    other = consent(PERMIT, patient={"reference": "Patient/p2"})

    assert may_write(patient, consent(PERMIT), None, owner="hospital")
    assert may_write(patient, None, other, owner="hospital")
