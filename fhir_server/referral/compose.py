"""Writes a down-referral as a transaction Bundle: Consent, ServiceRequest and Task as drafts.

https://hl7.org/fhir/R4/http.html#transaction
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from fhir_server.referral.codes import (
    CONSENT_CATEGORY,
    DATA_CATEGORY,
    DIRECTION,
    DIRECTIONS,
    REFERRAL,
    SNOMED,
    TASK_CODE,
    concept,
)

_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_PARTY = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


class Fullurls(NamedTuple):
    """The `urn:uuid:…` of the three entries, made by the caller: this module makes no ids."""

    consent: str
    request: str
    task: str


@dataclass(frozen=True, slots=True)
class DownReferral:
    """What a physician decides about a down-referral (下转).

    `patient`, `sender` and `receiver` are literal references, `author` the practitioner's.
    `reasons` are references to Conditions, `package` whatever else the receiver gets at once.
    `data` are codes of our data categories, which the receiver may pull from acceptance until the
    date `until`. `written` is an instant, `deadline` the end of `Task.restriction.period`.
    """

    patient: str
    sender: str
    receiver: str
    author: str
    written: str
    until: str
    data: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    package: tuple[str, ...] = ()
    reason: str = ""
    note: str = ""
    priority: str = "routine"
    deadline: str = ""


def compose(referral: DownReferral, fullurls: Fullurls) -> dict[str, Any]:
    """Return the transaction Bundle that writes the three resources."""
    entries = (
        (fullurls.consent, _consent(referral)),
        (fullurls.request, _request(referral, fullurls)),
        (fullurls.task, _task(referral, fullurls)),
    )
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": fullurl,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for fullurl, resource in entries
        ],
    }


def _consent(referral: DownReferral) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept(_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(CONSENT_CATEGORY, "referral", "Consent to a referral")],
        "patient": {"reference": referral.patient},
        "dateTime": referral.written,
        "performer": [{"reference": referral.patient}],
        "organization": [{"reference": referral.sender}],
        "policyRule": concept(_POLICY, "OPTIN", "opt-in"),
        "provision": {
            "period": {"start": referral.written, "end": referral.until},
            "actor": [
                {
                    "role": concept(_PARTY, "IRCP", "information recipient"),
                    "reference": {"reference": referral.receiver},
                }
            ],
            "purpose": [{"system": _REASON, "code": "TREAT", "display": "treatment"}],
            "code": [concept(DATA_CATEGORY, code) for code in referral.data],
        },
    }


def _request(referral: DownReferral, fullurls: Fullurls) -> dict[str, Any]:
    info = (fullurls.consent, *referral.package)
    request: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "category": [
            concept(SNOMED, REFERRAL, "Patient referral (procedure)"),
            concept(DIRECTION, "down", DIRECTIONS["down"]),
        ],
        "priority": referral.priority,
        "subject": {"reference": referral.patient},
        "authoredOn": referral.written,
        "requester": {"reference": referral.author},
        "performer": [{"reference": referral.receiver}],
        "supportingInfo": [{"reference": name} for name in info],
    }
    if referral.reason:
        request["reasonCode"] = [{"text": referral.reason}]
    if referral.reasons:
        request["reasonReference"] = [{"reference": name} for name in referral.reasons]
    if referral.note:
        request["note"] = [{"text": referral.note}]
    return request


def _task(referral: DownReferral, fullurls: Fullurls) -> dict[str, Any]:
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "priority": referral.priority,
        "code": concept(TASK_CODE, "fulfill", "Fulfill the focal request"),
        "focus": {"reference": fullurls.request},
        "for": {"reference": referral.patient},
        "authoredOn": referral.written,
        "requester": {"reference": referral.sender},
        "owner": {"reference": referral.receiver},
    }
    if referral.deadline:
        task["restriction"] = {"period": {"end": referral.deadline}}
    return task
