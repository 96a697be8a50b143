"""The grants that a referral opens: pure.

1. answer: Task and ServiceRequest, for the receiver, from sending; nothing but voiding ends it.
2. package: Patient and supportingInfo, for the receiver, from sending.
3. pull: what the Consent's provisions say, for the receiver, from acceptance.
4. return: what the receiver records of this patient, for the sender, from acceptance.

Package and pull follow from the Consent: it is their `source`. They end with it, with
`Task.restriction.period`, and with the referral. The others follow from the Task.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhir_server.authz.consent import grants
from fhir_server.authz.grant import Clause, Grant, Rule
from fhir_server.model import Query, Write
from fhir_server.referral.package import Json, Referral, consent_end
from fhir_server.search.tree import Cond, Ids, Match, Not, both


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
    """Return rules and grants of what the receiver may see by the Consent, less what others refuse."""
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


def while_active(writes: Iterable[Write], consent: str) -> list[Write]:
    """Return the writes, refused if the Consent is no longer active when they are committed.

    A withdrawal in the same moment may not have been seen when the grants were made.
    """
    withdrawn = both(
        Ids(frozenset((consent,))), Not(Match("status", (Cond("v", "=", "active"),)))
    )
    return [replace(write, unless=Query("Consent", withdrawn)) for write in writes]
