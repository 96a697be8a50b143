"""The grants that a referral opens: pure.

1. answer: Task and ServiceRequest, for the receiver, from sending; nothing but voiding ends it.
2. package: Patient and supportingInfo, for the receiver, from sending.
3. pull: what the Consent's provisions say, for the receiver, from acceptance.
4. return: what the receiver records of this patient, for the sender, from acceptance.

Package and pull follow from the Consent: it is their `source`. They end with it, with
`Task.restriction.period`, and with the referral. The others follow from the Task.
"""

from collections.abc import Sequence
from dataclasses import replace

from fhir_server.authz.consent import grants
from fhir_server.authz.grant import Clause, Grant, Rule
from fhir_server.referral.package import Json, Referral, consent_end


def answer(referral: Referral, now: int) -> Grant:
    """Return the grant of Task and ServiceRequest."""
    name = str(referral.task)
    seen = (name, str(referral.request))
    return Grant(referral.patient, referral.receiver, name, now, resources=seen, via=name)


def package(referral: Referral, consent: Json, now: int) -> Grant:
    """Return the grant of the package."""
    return Grant(
        referral.patient,
        referral.receiver,
        f"Consent/{referral.consent}",
        now,
        min(referral.until, consent_end(consent)),
        resources=(f"Patient/{referral.patient}", *referral.info),
        via=str(referral.task),
    )


def pull(
    referral: Referral, consent: Json, now: int, against: Sequence[Json]
) -> tuple[list[Rule], list[Grant]]:
    """Return rules and grants of what the Consent shows the receiver, less what others refuse."""
    rules, found = grants(consent, now, str(referral.task), against)
    mine = [
        replace(grant, until=min(grant.until, referral.until))
        for grant in found
        if grant.recipient == referral.receiver and grant.start < referral.until
    ]
    used = {grant.rule for grant in mine}
    return [rule for rule in rules if rule.id in used], mine


def returning(referral: Referral, institution: str, now: int) -> tuple[Rule, Grant]:
    """Return rule and grant of what the receiver's `institution` records of the patient."""
    rule = Rule(referral.sender, "TREAT", (Clause(owner=institution),))
    name = str(referral.task)
    return rule, Grant(referral.patient, referral.sender, name, now, rule=rule.id, via=name)
