"""The write rule of Consent: who may write one, and the grants that follow from it.

https://hl7.org/fhir/R4/consent.html

1. What the patient signed is not edited: once active, its content is sealed, and it is no draft
   any more. It is withdrawn, and what was withdrawn does not come back: a new Consent is written.
2. A Consent that the hub cannot compute is refused, so that nobody believes in what has no effect.
3. Writing a Consent settles all grants of the patient anew: of two Consents that contradict each
   other the stricter one wins, whichever came first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.authz.consent import closed, may_write, patient_of, problems, rules_of, settled
from fhir_server.authz.grant import Grant
from fhir_server.errors import Forbidden, Unprocessable
from fhir_server.interactions.server import Change, Server
from fhir_server.model import Key, Write
from fhir_server.referral.load import (
    active_consents,
    grant_of,
    living,
    open_grants,
    owner_of,
    turnstile,
)
from fhir_server.referral.package import Json
from fhir_server.search.tree import Cond, InPatient, Match

_DRAFTS = ("draft", "proposed")
_OVER = ("inactive", "rejected", "entered-in-error")
_UNSEALED = frozenset(
    (
        *("resourceType", "id", "meta", "text", "language", "status"),
        *("verification", "sourceAttachment", "sourceReference"),
    )
)


async def consent_rule(server: Server, caller: Caller, change: Change) -> Sequence[Write]:
    """Open and close the grants that follow from a change of a Consent.

    Raises `Forbidden` for one who may not write it, `Unprocessable` for what cannot be computed.
    """
    before, after = change.before, change.after
    patient = patient_of(after or before or {})
    keeper = owner_of(await living(server, Key("Patient", patient)) if patient else None)
    refused = [*may_write(caller, before, after, keeper), *_self_serving(caller, after)]
    if refused:
        raise Forbidden(*refused)
    issues = [*_sealed(before, after), *_uncomputable(caller, before, after)]
    if issues:
        raise Unprocessable(*issues)
    if not patient or "active" not in (_status(before), _status(after)):
        return ()
    return await _settled(server, caller, patient, change.key.id, after)


def _status(consent: Json | None) -> str:
    return str((consent or {}).get("status", ""))


def _self_serving(caller: Caller, consent: Json | None) -> Iterator[Issue]:
    if consent is None or caller.kind not in ("staff", "feed"):
        return
    if any(recipient in caller.organizations for recipient, *_ in rules_of(consent)):
        words = "An institution does not write what opens a record to itself."
        yield Issue("forbidden", words, "Consent.provision")


def _sealed(before: Json | None, after: Json | None) -> Iterator[Issue]:
    if before is None or after is None:
        return
    is_draft = _status(before) in _DRAFTS
    if _status(before) in _OVER and _status(after) not in _OVER:
        words = "A Consent that is over does not come back: write a new one."
        yield Issue("business-rule", words, "Consent.status")
    elif not is_draft and _status(after) in _DRAFTS:
        words = "What was agreed does not become a draft again: withdraw it, and write a new one."
        yield Issue("business-rule", words, "Consent.status")
    names = {"patient"} if is_draft else {*before, *after} - _UNSEALED
    for name in sorted(names):
        if before.get(name) != after.get(name):
            words = f"What was agreed is not edited; {name} cannot change."
            yield Issue("business-rule", words, f"Consent.{name}")


def _uncomputable(caller: Caller, before: Json | None, after: Json | None) -> list[Issue]:
    if after is None or _status(before) == "active" or caller.kind in ("operator", "open"):
        return []
    return [replace(issue, severity="error") for issue in problems(after)]


async def _settled(
    server: Server, caller: Caller, patient: str, id: str, after: Json | None
) -> list[Write]:
    turn = await turnstile(server, patient)
    others = [
        each for each in await active_consents(server, patient, caller.now) if each["id"] != id
    ]
    consents = [*others, *([after] if after is not None else [])]
    of_consents = Match("source", (Cond("v", "prefix", "Consent/"),))
    existing = await open_grants(server, caller.now, InPatient(patient), of_consents)
    alive = {f"Consent/{each['id']}" for each in consents if _status(each) == "active"}
    packages = [each for each in existing if not each.rule]
    pulls = [each for each in existing if each.rule]
    writes = [
        *(_within(write, pulls) for write in settled(consents, pulls, caller.now)),
        *closed([each for each in packages if each.source not in alive], caller.now),
    ]
    return [*writes, turn]


def _within(write: Write, pulls: Sequence[Grant]) -> Write:
    """Keep a referral's grant within the time that its Task set: it ends no later than before."""
    if write.key.type != "grant" or write.body is None:
        return write
    grant = grant_of(write.body)
    ends = [each.until for each in pulls if grant.via and each.via == grant.via]
    if not ends or grant.until <= max(ends):
        return write
    return replace(grant, until=max(ends)).write()
