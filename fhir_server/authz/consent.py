"""What a Consent lets whom see: its provisions as rules, and the grants that follow from them.

https://hl7.org/fhir/R4/consent.html

A Consent opens something only if it is active, its scope is patient-privacy, it names its Patient
and it names the Organizations that may see the data. A Consent of the category `referral` opens
nothing by itself: the Task of the referral that carries it does, when it is accepted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.authz.compile import View, openings, refusals
from fhir_server.authz.grant import FOREVER, Clause, Grant, Rule
from fhir_server.authz.provision import Provision, read
from fhir_server.authz.region import NONE, Region, join
from fhir_server.model import Key, Write

Json = dict[str, Any]
Opening = tuple[str, Rule, int, int]
"""A recipient, what it may see, and the first millisecond in which it may and the first after."""

CATEGORY = "https://fhir-hub.example/CodeSystem/consent-category"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_ROOT = "Consent.provision"


def is_referral_consent(consent: Json) -> bool:
    """Say whether the Consent is one that a referral opens."""
    return any(
        coding.get("system") == CATEGORY and coding.get("code") == "referral"
        for concept in consent.get("category") or []
        for coding in concept.get("coding") or []
    )


def patient_of(consent: Json) -> str:
    """Return the id of the Patient, empty if the Consent names none of this hub."""
    reference = str((consent.get("patient") or {}).get("reference", ""))
    type, _, id = reference.partition("/")
    return id if type == "Patient" and "/" not in id else ""


def problems(consent: Json) -> list[Issue]:
    """Return what of an active Consent the hub cannot compute, as warnings for its author."""
    return _read(consent)[1] if consent.get("status") == "active" else []


def rules_of(consent: Json, against: Sequence[Json] = ()) -> tuple[Opening, ...]:
    """Return what an active Consent opens, less what the patient's other Consents refuse.

    `against` are those others: of two that contradict each other the stricter one wins.
    """
    root, _ = _read(consent)
    if root is None:
        return ()
    others = [tree for other in against if (tree := _read(other)[0]) is not None]
    nodes = root.walk()
    everyone = [*nodes, *(node for tree in others for node in tree.walk())]
    recipients = {name for node in nodes for name in node.recipients.values or ()}
    purposes = {"TREAT"}.union(*(node.purposes.values or () for node in nodes))
    found: list[Opening] = []
    for recipient in sorted(recipients):
        for purpose in sorted(purposes):
            spans = _spans(everyone)
            found += _merged(
                (rule, start, until)
                for start, until in spans
                for rule in _rules(root, others, View(recipient, purpose, start))
            )
    return tuple(found)


def _rules(root: Provision, others: Sequence[Provision], view: View) -> list[Rule]:
    refused = join(*(refusals(other, view) for other in others))
    permits: dict[Region, Region] = {}
    for permit, deny in openings(root, view):
        denied = _sorted(join(deny, refused))
        if Clause() not in denied:
            permits[denied] = join(permits.get(denied, NONE), permit)
    return [
        Rule(view.recipient, view.purpose, _sorted(permit), denied)
        for denied, permit in permits.items()
    ]


def _sorted(region: Region) -> Region:
    """Put clauses in one order, so that equal rules are one record."""
    return tuple(sorted(region, key=repr))


def _spans(nodes: Iterable[Provision]) -> list[tuple[int, int]]:
    """Return the spans between the moments in which some provision begins or ends to apply."""
    moments = {0, FOREVER}
    for node in nodes:
        moments |= {node.start, node.until}
    ordered = sorted(moment for moment in moments if 0 <= moment <= FOREVER)
    return list(pairwise(ordered))


def _merged(spans: Iterable[tuple[Rule, int, int]]) -> Iterator[Opening]:
    open: dict[Rule, list[tuple[int, int]]] = {}
    for rule, start, until in spans:
        periods = open.setdefault(rule, [])
        if periods and periods[-1][1] == start:
            periods[-1] = (periods[-1][0], until)
        else:
            periods.append((start, until))
    for rule, periods in open.items():
        for start, until in periods:
            yield rule.recipient, rule, start, until


def _read(consent: Json) -> tuple[Provision | None, list[Issue]]:
    """Return the tree of an active Consent (None if it opens and refuses nothing), and issues."""
    issues: list[Issue] = []
    if consent.get("status") != "active":
        return None, issues
    for holds, words, at in (
        (_in_scope(consent), f"Only the scope patient-privacy of {SCOPE} is computed.", "scope"),
        (bool(patient_of(consent)), "The patient must be a Patient of this hub.", "patient"),
        ("provision" in consent, "Without a provision nothing is opened.", "provision"),
    ):
        if not holds:
            issues.append(Issue("not-supported", words, f"Consent.{at}", "warning"))
    if issues:
        return None, issues
    modified = {name: consent[name] for name in ("modifierExtension",) if name in consent}
    root = read(consent["provision"] | modified, _opts_in(consent), issues, _ROOT)
    if not any(node.recipients.values for node in root.walk() if node.permit or node is root):
        issues.append(
            Issue("incomplete", "No Organization is named: nothing is opened.", _ROOT, "warning")
        )
    return root, issues


def _in_scope(consent: Json) -> bool:
    codings = (consent.get("scope") or {}).get("coding") or []
    return any(
        each.get("system") == SCOPE and each.get("code") == "patient-privacy" for each in codings
    )


def _opts_in(consent: Json) -> bool:
    """Say whether the Consent's base policy is to permit, where its root provision says nothing."""
    codings = (consent.get("policyRule") or {}).get("coding") or []
    return any(each.get("code") == "OPTIN" for each in codings)


def grants(
    consent: Json, now: int, via: str = "", against: Sequence[Json] = ()
) -> tuple[tuple[Rule, ...], tuple[Grant, ...]]:
    """Return the rules and grants that a Consent opens: written in the commit that writes it.

    A referral's Consent opens only `via` the reference of its accepted Task, and not before `now`
    (milliseconds); then keep those of the receiver. What is over already opens nothing.
    """
    if is_referral_consent(consent) and not via:
        return (), ()
    parts: dict[Rule, int] = {}
    found = []
    source = f"Consent/{consent.get('id', '')}"
    for recipient, rule, start, until in rules_of(consent, against):
        begin = max(start, now) if via else start
        if until <= now or until <= begin:
            continue
        parts[rule] = parts.get(rule, -1) + 1
        found.append(
            Grant(
                patient_of(consent),
                recipient,
                source,
                begin,
                until,
                rule.purpose,
                rule.id,
                via=via,
                part=parts[rule],
            )
        )
    return tuple(parts), tuple(found)


def closed(grants: Iterable[Grant], now: int) -> tuple[Write, ...]:
    """Return the writes that end grants at `now`; one that is over already is not written again."""
    return tuple(replace(each, until=now).write() for each in grants if each.until > now)


def settled(consents: Sequence[Json], existing: Sequence[Grant], now: int) -> tuple[Write, ...]:
    """Return the writes after which a patient's grants say what the patient's Consents say.

    `consents` are all of one patient as they will be, `existing` the grants that follow from any of
    them (source `Consent/…`). Grants opened by a Task stay open only as far as its Consent still
    says so; those of a Consent that is not active any more end, packages included.
    """
    wanted: dict[str, Grant] = {}
    writes: dict[Key, Write] = {}
    alive = {f"Consent/{each.get('id')}" for each in consents if each.get("status") == "active"}
    living = [each for each in existing if each.until > now and each.source in alive]
    for consent in consents:
        others = [each for each in consents if each is not consent]
        mine = [each for each in living if each.source == f"Consent/{consent.get('id')}"]
        for via in sorted({each.via for each in mine} | {""}):
            receivers = {each.recipient for each in mine if each.via == via}
            rules, opened = grants(consent, now, via, others)
            fit = [each for each in opened if not via or each.recipient in receivers]
            wanted |= {each.id: each for each in fit}
            writes |= {write.key: write for rule in rules if fit for write in rule.writes()}
    known = {each.id: each for each in existing}
    for id, grant in wanted.items():
        before = known.get(id)
        kept = replace(grant, start=before.start) if before and before.until > now else grant
        if kept != before:
            writes[Key("grant", id)] = kept.write()
    over = [
        each
        for each in existing
        if each.id not in wanted and (each.source not in alive or not each.resources)
    ]
    return (*writes.values(), *closed(over, now))


def may_write(caller: Caller, before: Json | None, after: Json | None, owner: str) -> list[Issue]:
    """Return why a caller may not make this change of a Consent; none if it may.

    `owner` is the institution that owns the Patient's record. A recipient never writes what opens
    a record to itself; a patient gives a Consent or withdraws it, and changes nothing else.
    """
    if caller.kind in ("operator", "open"):
        return []
    if caller.kind == "patient":
        return _by_patient(caller, before, after)
    if owner not in caller.organizations:
        return [Issue("forbidden", "Only who keeps the patient's record writes the consent.")]
    return []


def _by_patient(caller: Caller, before: Json | None, after: Json | None) -> list[Issue]:
    if after is None:
        return [Issue("forbidden", "A consent is withdrawn, not deleted.", "Consent")]
    if patient_of(after) != caller.patient:
        return [Issue("forbidden", "A patient writes the own consent only.", "Consent.patient")]
    if before is None:
        return []
    changed = sorted(
        name
        for name in before.keys() | after.keys()
        if name not in ("status", "meta") and before.get(name) != after.get(name)
    )
    issues = [
        Issue("forbidden", "A patient withdraws a consent and changes nothing else.", at)
        for at in (f"Consent.{name}" for name in changed)
    ]
    if before.get("status") != after.get("status") != "inactive":
        issues.append(
            Issue("forbidden", "A withdrawn consent has the status inactive.", "Consent.status")
        )
    return issues
