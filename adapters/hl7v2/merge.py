"""What messages contribute to a resource, put together so that any order of arrival ends the same.

1. A contribution speaks of groups of fields; of a group it says all, also that it is empty.
2. Every group keeps a stamp beside the record: rank, then event time, then (where both are equal)
   the text of the group. The higher stamp wins, so a result never falls back from final to
   preliminary, nor an encounter from finished to in progress.
3. A contribution that only creates (the patient named in a result) counts for nothing once an
   update (an ADT) has spoken of the resource. Among creators the earliest wins, so that results
   do not rewrite a patient again and again.
4. Members (the results of a report) are only ever added, in the order of their positions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Policy = Literal["create", "update"]
Resource = dict[str, Any]

# The fields of each group; a dot goes one element deeper.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Patient": {
        "identifier": ("identifier",),
        "name": ("name",),
        "gender": ("gender", "_gender"),
        "birth": ("birthDate", "_birthDate"),
        "address": ("address",),
        "telecom": ("telecom",),
        "marital": ("maritalStatus",),
        "death": ("deceasedBoolean", "deceasedDateTime"),
        "contact": ("contact",),
        "multiple": ("multipleBirthBoolean", "multipleBirthInteger"),
        "language": ("communication",),
        "organization": ("managingOrganization",),
    },
    "Encounter": {
        "identifier": ("identifier",),
        "status": ("status",),
        "class": ("class",),
        "type": ("type",),
        "service": ("serviceType",),
        "subject": ("subject",),
        "organization": ("serviceProvider",),
        "participant": ("participant",),
        "location": ("location",),
        "start": ("period.start",),
        "end": ("period.end",),
        "admission": ("hospitalization.admitSource",),
        "discharge": ("hospitalization.dischargeDisposition",),
        "reason": ("reasonCode",),
        "diagnosis": ("diagnosis",),
    },
    "Condition": {
        "about": ("code", "category", "subject", "encounter", "recordedDate", "recorder"),
        "status": ("clinicalStatus", "verificationStatus"),
    },
    "AllergyIntolerance": {
        "about": (
            "code",
            "category",
            "patient",
            "criticality",
            "reaction",
            "onsetDateTime",
            "clinicalStatus",
        ),
    },
    "Observation": {
        "about": (
            "identifier",
            "code",
            "category",
            "subject",
            "encounter",
            "effectiveDateTime",
            "performer",
            "method",
        ),
        "status": ("status", "_status", "issued"),
        "value": (
            "valueQuantity",
            "valueString",
            "valueCodeableConcept",
            "valueDateTime",
            "valueTime",
            "valueRange",
            "valuePeriod",
            "valueRatio",
            "component",
            "dataAbsentReason",
            "interpretation",
            "referenceRange",
        ),
        "note": ("note",),
    },
    "DiagnosticReport": {
        "about": (
            "identifier",
            "code",
            "category",
            "subject",
            "encounter",
            "basedOn",
            "effectiveDateTime",
            "effectivePeriod",
            "performer",
            "resultsInterpreter",
            "specimen",
        ),
        "status": ("status", "_status", "issued"),
        "conclusion": ("conclusion",),
        "form": ("presentedForm",),
    },
    "Provenance": {
        "all": ("target", "recorded", "occurredDateTime", "agent", "entity", "activity"),
    },
}
_MEMBERS = {"DiagnosticReport": "result"}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one message says about one resource.

    `groups` maps each group it speaks of to a rank; `event_time` compares as text; `members` maps
    references to positions; `anchor` names the record whose stamps this one's lie with, by default
    its own.
    """

    type: str
    id: str
    resource: Resource
    event_time: str
    groups: Mapping[str, int]
    policy: Policy = "update"
    members: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A resource and what is kept beside it; all but `resource` is JSON and goes into storage.

    `policy` is None for a resource that no message has made.
    """

    resource: Resource
    policy: Policy | None = None
    stamps: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    members: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def merge(existing: Held | None, contribution: Contribution) -> Held:
    """Return what the record holds after a contribution; equal to `existing` if nothing changed."""
    if existing is None:
        return _alone(contribution)
    if existing.policy == "update" and contribution.policy == "create":
        return existing
    if existing.policy is None and contribution.policy == "create":
        return existing
    if existing.policy == "create" and contribution.policy == "update":
        existing = _without_groups(existing)
    return _together(existing, contribution)


def stamps_to_json(held: Held) -> dict[str, Any]:
    """Return what is kept beside the record as JSON; `held_from_json` reads it back."""
    return {
        "policy": held.policy,
        "stamps": {name: list(stamp) for name, stamp in held.stamps.items()},
        "members": {reference: list(position) for reference, position in held.members.items()},
    }


def held_from_json(resource: Resource, beside: Mapping[str, Any] | None) -> Held:
    """Return a record as it was stored; `beside` is None for one that no message has made."""
    if beside is None:
        return Held(resource)
    stamps = {name: (rank, time) for name, (rank, time) in beside["stamps"].items()}
    members = {reference: tuple(position) for reference, position in beside["members"].items()}
    return Held(resource, beside["policy"], stamps, members)


def _alone(contribution: Contribution) -> Held:
    bare = {"resourceType": contribution.type, "id": contribution.id}
    return _together(Held(bare, contribution.policy), contribution)


def _together(existing: Held, contribution: Contribution) -> Held:
    fields = GROUPS[contribution.type]
    resource, stamps = existing.resource, dict(existing.stamps)
    for name, rank in contribution.groups.items():
        stamp = (rank, contribution.event_time)
        said = _pick(contribution.resource, fields[name])
        held = _pick(existing.resource, fields[name])
        if name in stamps and not _wins(stamp, said, stamps[name], held, contribution.policy):
            continue
        stamps[name] = stamp
        resource = _put(resource, fields[name], said)
    members = _join(existing.members, contribution.members)
    if members != existing.members:
        listed = sorted(members, key=lambda reference: (members[reference], reference))
        resource = resource | {_MEMBERS[contribution.type]: [{"reference": r} for r in listed]}
    return Held(resource, contribution.policy, stamps, members)


def _wins(
    stamp: tuple[int, str], said: Resource, before: tuple[int, str], held: Resource, policy: Policy
) -> bool:
    if stamp[0] != before[0]:
        return stamp[0] > before[0]
    if stamp[1] != before[1]:
        return (stamp[1] > before[1]) == (policy == "update")
    return _canonical(said) > _canonical(held)


def _without_groups(held: Held) -> Held:
    resource = held.resource
    for name in held.stamps:
        resource = _put(resource, GROUPS[resource["resourceType"]][name], {})
    if held.members:
        field_name = _MEMBERS[resource["resourceType"]]
        resource = {key: value for key, value in resource.items() if key != field_name}
    return Held(resource)


def _join(
    one: Mapping[str, tuple[int, ...]], other: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    joined = dict(one)
    for reference, position in other.items():
        joined[reference] = min(position, joined.get(reference, position))
    return joined


def _pick(resource: Resource, paths: tuple[str, ...]) -> Resource:
    found = {}
    for path in paths:
        head, _, tail = path.partition(".")
        value = resource.get(head)
        if tail and value is not None:
            value = value.get(tail)
        if value is not None:
            found[path] = value
    return found


def _put(resource: Resource, paths: tuple[str, ...], said: Resource) -> Resource:
    changed = dict(resource)
    for path in paths:
        head, _, tail = path.partition(".")
        value = said.get(path)
        if tail:
            inner = {k: v for k, v in changed.get(head, {}).items() if k != tail}
            value = inner | ({tail: value} if value is not None else {}) or None
        changed.pop(head, None)
        if value is not None:
            changed[head] = value
    return changed


def _canonical(value: Resource) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
