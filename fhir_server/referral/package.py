"""What a referral consists of, and what must hold of it before it is sent: pure.

https://hl7.org/fhir/R4/servicerequest.html, https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.issues import Issue
from fhir_server.authz.consent import patient_of, rules_of
from fhir_server.authz.provision import period
from fhir_server.model import Key
from fhir_server.referral.codes import REFERRAL, SNOMED, TASK_CODE, codes_of, reference_id
from fhir_server.referral.states import Resource

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Referral:
    """Who refers whom to whom, by what: ids, but `info` are the references of `supportingInfo`.

    `until` is when `Task.restriction.period` is over, in milliseconds.
    """

    task: Key
    request: Key
    patient: str
    sender: str
    receiver: str
    consents: tuple[str, ...]
    info: tuple[str, ...]
    until: int

    @property
    def consent(self) -> str:
        """Return the Consent's id, `''` unless there is exactly one."""
        return self.consents[0] if len(self.consents) == 1 else ""


@dataclass(frozen=True, slots=True)
class Item:
    """A resource of the package as the sender sees it: `None` if absent or hidden."""

    reference: str
    patients: tuple[str, ...] | None
    own: bool = False


def focus_of(task: Resource | None) -> Key | None:
    """Return the ServiceRequest that a Task of code `fulfill` has in focus."""
    if task is None or "fulfill" not in codes_of(task.get("code"), TASK_CODE):
        return None
    id = reference_id(task.get("focus"), "ServiceRequest")
    return Key("ServiceRequest", id) if id else None


def is_referral(request: Resource | None) -> bool:
    """Say whether a ServiceRequest is of the category *referral*."""
    return REFERRAL in codes_of((request or {}).get("category", []), SNOMED)


def referral_of(key: Key, task: Resource, request_key: Key, request: Resource) -> Referral:
    """Return what Task and ServiceRequest say; what they leave out is `''`."""
    info = tuple(_versionless(each) for each in request.get("supportingInfo", ()))
    return Referral(
        task=key,
        request=request_key,
        patient=reference_id(task.get("for"), "Patient"),
        sender=reference_id(task.get("requester"), "Organization"),
        receiver=reference_id(task.get("owner"), "Organization"),
        consents=tuple(name[8:] for name in info if name.startswith("Consent/")),
        info=info,
        until=period((task.get("restriction") or {}).get("period") or {})[1],
    )


def _versionless(reference: Json) -> str:
    return str(reference.get("reference", "")).split("/_history/")[0]


def missing_parts(
    referral: Referral, request: Resource, items: Sequence[Item], now: int
) -> list[Issue]:
    """Return what Task, ServiceRequest and package lack for sending at `now`."""
    return [*_parties(referral, now), *_order(referral, request), *_package(referral, items)]


def _parties(referral: Referral, now: int) -> Iterator[Issue]:
    if not referral.patient:
        yield _required("Whom is it about? `for` must be a Patient of this hub", "Task.for")
    if not referral.sender:
        yield _required("Who refers? `requester` must be an Organization", "Task.requester")
    if not referral.receiver:
        yield _required("Where to? `owner` must be an Organization", "Task.owner")
    elif referral.receiver == referral.sender:
        yield _broken("An institution does not refer to itself", "Task.owner")
    if referral.until <= now:
        yield _broken("The restriction.period is over", "Task.restriction")


def _order(referral: Referral, request: Resource) -> Iterator[Issue]:
    if reference_id(request.get("subject"), "Patient") != referral.patient:
        yield _broken("Task.for and ServiceRequest.subject must be the same Patient", "Task.for")
    if request.get("status") not in ("draft", "active"):
        yield _broken(
            f"The ServiceRequest is {request.get('status')}; draft was expected", "Task.focus"
        )


def _package(referral: Referral, items: Sequence[Item]) -> Iterator[Issue]:
    if not referral.consent:
        yield _required(
            "The ServiceRequest's supportingInfo must hold the one Consent of the patient",
            "Task.focus",
        )
    for item in items:
        if item.patients is None:
            yield Issue(
                "not-found", f"There is no {item.reference or 'such record'}.", "Task.focus"
            )
        elif item.patients != (referral.patient,) and not (item.patients == () and item.own):
            yield _broken(f"{item.reference} is not of this patient alone", "Task.focus")


def lacking_consent(referral: Referral, consent: Json | None, now: int) -> list[Issue]:
    """Return why the Consent does not carry the referral at `now`; nothing if it does."""
    if consent is None:
        return [_required("There is no Consent that carries the referral", "Task.focus")]
    if patient_of(consent) != referral.patient:
        return [_broken("The Consent is another patient's", "Task.for")]
    if consent.get("status") != "active":
        return [
            _broken(f"The Consent is {consent.get('status')}; active was expected", "Task.focus")
        ]
    spans = [(start, end) for name, _, start, end in rules_of(consent) if name == referral.receiver]
    if not spans:
        return [_broken("The Consent lets the receiver see nothing", "Task.owner")]
    if not any(start <= now < end for start, end in spans):
        return [_broken("The Consent's period does not cover this moment", "Task.focus")]
    return []


def consent_end(consent: Json) -> int:
    """Return when the Consent's root provision ends, in milliseconds."""
    return period((consent.get("provision") or {}).get("period") or {})[1]


def _required(words: str, at: str) -> Issue:
    return Issue("required", f"{words}.", at)


def _broken(words: str, at: str) -> Issue:
    return Issue("business-rule", f"{words}.", at)
