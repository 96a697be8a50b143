"""Consent.provision of R4, read into a tree that can be computed with.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision

The root is the base rule; nested provisions are exceptions to their parent, recursively. What a
provision says in a way that the hub cannot compute never matches a permission, may match a refusal,
and is reported as an issue.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.issues import Issue
from fhir_server.authz import categories
from fhir_server.authz.grant import FOREVER, Clause
from fhir_server.authz.region import ALL, NONE, Region, cover, join, meet
from fhir_server.search.date import span
from fhir_server.search.terms import SHANGHAI

Json = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem/"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
ACTION = _HL7 + "consentaction"
REASON = _HL7 + "v3-ActReason"
CONFIDENTIALITY = _HL7 + "v3-Confidentiality"

LEVELS = ("U", "L", "M", "N", "R", "V")
"""Confidentiality from least to most.
https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html"""

READING = frozenset(("access", "use", "disclose"))
OTHER_ACTIONS = frozenset(("collect", "correct"))

SOURCE_ROLES = frozenset(("AUT", "CST", "DELEGATOR", "GRANTOR", "INF", "SBJ", "SUBJ"))
"""Roles of an actor who gives the data or whom they are about: not one who may see them."""

HIERARCHIES = frozenset(
    (
        "http://hl7.org/fhir/sid/icd-10",
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://www.whocc.no/atc",
    )
)
"""Systems in which a code means all codes that begin with it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A condition on one of few values: `values` None says none is asked for; `vague` says that
    something else is asked for as well, which may be any value."""

    values: frozenset[str] | None
    vague: bool = False

    def surely(self, value: str) -> bool:
        """Say whether the condition holds for certain."""
        return self.values is None or value in self.values

    def possibly(self, value: str) -> bool:
        """Say whether the condition may hold."""
        return self.vague or self.surely(value)


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision: permit or deny, for whom, what for, when, and which records."""

    permit: bool
    start: int
    until: int
    recipients: Limit
    purposes: Limit
    actions: Limit
    narrow: Region
    wide: Region
    children: tuple["Provision", ...]

    def surely(self, recipient: str, purpose: str, moment: int) -> bool:
        """Say whether all conditions but those on the record hold for certain."""
        return (
            self.start <= moment < self.until
            and self.recipients.surely(recipient)
            and self.purposes.surely(purpose)
            and any(self.actions.surely(action) for action in READING)
        )

    def possibly(self, recipient: str, purpose: str, moment: int) -> bool:
        """Say whether all conditions but those on the record may hold."""
        return (
            self.start <= moment < self.until
            and self.recipients.possibly(recipient)
            and self.purposes.possibly(purpose)
            and any(self.actions.possibly(action) for action in READING)
        )

    def walk(self) -> "list[Provision]":
        """Return this provision and all below it."""
        return [self, *(each for child in self.children for each in child.walk())]


def read(provision: Json, permit: bool, issues: list[Issue], at: str) -> Provision:
    """Read a provision that stands at the FHIRPath `at`; `permit` is meant where it has no type."""
    kind = provision.get("type")
    here = kind == "permit" if kind else permit
    narrow, wide = _records(provision, issues, at)
    try:
        start, until = period(provision.get("period") or {})
    except ValueError:
        _unknown(issues, f"{at}.period", "The period cannot be read.")
        start, until, narrow = 0, FOREVER, NONE
    return Provision(
        here,
        start,
        until,
        _recipients(provision.get("actor") or [], issues, at),
        _purposes(provision.get("purpose") or [], issues, at),
        _actions(provision.get("action") or [], issues, at),
        narrow,
        wide,
        tuple(
            read(child, not here, issues, f"{at}.provision[{index}]")
            for index, child in enumerate(provision.get("provision") or [])
        ),
    )


def _unknown(issues: list[Issue], at: str, words: str) -> None:
    issues.append(Issue("not-supported", words + " It opens nothing.", at, "warning"))


def _records(provision: Json, issues: list[Issue], at: str) -> tuple[Region, Region]:
    """Return the narrow and the wide region of what a provision says about the record."""
    narrow, wide = ALL, ALL
    parts: tuple[tuple[str, Callable[..., tuple[Region, Region]]], ...] = (
        ("class", _class),
        ("code", _code),
    )
    for name, reader in parts:
        found = [
            reader(each, issues, f"{at}.{name}[{index}]")
            for index, each in enumerate(provision.get(name) or [])
        ]
        if found:
            narrow = meet(narrow, join(*(each[0] for each in found)))
            wide = cover(wide, join(*(each[1] for each in found)))
    if labels := provision.get("securityLabel"):
        sure, possible = _labels(labels, issues, f"{at}.securityLabel")
        narrow, wide = meet(narrow, sure), cover(wide, possible)
    for name in ("dataPeriod", "data", "modifierExtension"):
        if provision.get(name):
            _unknown(issues, f"{at}.{name}", f"A provision with {name} cannot be computed yet.")
            narrow = NONE
    return narrow, wide


def _class(coding: Json, issues: list[Issue], at: str) -> tuple[Region, Region]:
    if coding.get("system") == RESOURCE_TYPES and coding.get("code"):
        region = (Clause(types=(coding["code"],)),)
        return region, region
    _unknown(issues, at, f"A class must be a resource type of {RESOURCE_TYPES}.")
    return NONE, ALL


def _code(concept: Json, issues: list[Issue], at: str) -> tuple[Region, Region]:
    sure: list[Region] = []
    possible: list[Region] = []
    for coding in concept.get("coding") or []:
        system, code = coding.get("system", ""), coding.get("code", "")
        if system == categories.SYSTEM and code in categories.CATEGORIES:
            region: Region = categories.CATEGORIES[code]
        elif system == categories.SYSTEM or not system or not code:
            continue
        else:
            region = (Clause(codes=((system, code, system not in HIERARCHIES),)),)
        sure.append(region)
        possible.append(region)
    if not sure:
        _unknown(issues, at, "A code needs a system and a code, or a known data category.")
        return NONE, ALL
    return join(*sure), join(*possible)


def _labels(labels: Sequence[Json], issues: list[Issue], at: str) -> tuple[Region, Region]:
    """Return regions of labels: a permission reaches as far up as its label, a refusal from it
    up."""
    possible = tuple(each for label in labels for each in _levels(label, lambda at, own: at >= own))
    wide = (Clause(labels=possible),) if possible else ALL
    if len(labels) > 1 or not possible:
        _unknown(issues, at, "Several labels in one provision cannot be computed yet.")
        return NONE, wide
    sure = _levels(labels[0], lambda at, own: at <= own)
    return (Clause(labels=sure),), wide


def _levels(label: Json, counts: Callable[[int, int], bool]) -> tuple[tuple[str, str], ...]:
    system, code = label.get("system", ""), label.get("code", "")
    if not system or not code:
        return ()
    if system != CONFIDENTIALITY or code not in LEVELS:
        return ((system, code),)
    own = LEVELS.index(code)
    return tuple((system, each) for index, each in enumerate(LEVELS) if counts(index, own))


def _recipients(actors: Sequence[Json], issues: list[Issue], at: str) -> Limit:
    if not actors:
        return Limit(None)
    named: set[str] = set()
    vague = False
    for index, actor in enumerate(actors):
        reference = (actor.get("reference") or {}).get("reference", "")
        codes = {each.get("code") for each in (actor.get("role") or {}).get("coding") or []}
        type, _, id = reference.partition("/")
        if codes & SOURCE_ROLES:
            continue
        if type == "Organization" and id and "/" not in id:
            named.add(id)
        else:
            vague = True
            _unknown(
                issues, f"{at}.actor[{index}]", "An actor must be an Organization of this hub."
            )
    return Limit(frozenset(named), vague)


def _purposes(purposes: Sequence[Json], issues: list[Issue], at: str) -> Limit:
    if not purposes:
        return Limit(None)
    known = frozenset(
        each["code"] for each in purposes if each.get("system") == REASON and each.get("code")
    )
    vague = any(each.get("system") != REASON for each in purposes)
    if vague:
        _unknown(issues, f"{at}.purpose", f"A purpose must be a code of {REASON}.")
    return Limit(known, vague)


def _actions(actions: Sequence[Json], issues: list[Issue], at: str) -> Limit:
    if not actions:
        return Limit(None)
    codes = {
        each.get("code")
        for action in actions
        for each in action.get("coding") or [{}]
        if each.get("system") == ACTION
    }
    vague = not codes or bool(codes - READING - OTHER_ACTIONS)
    if vague:
        _unknown(issues, f"{at}.action", f"An action must be a code of {ACTION}.")
    return Limit(frozenset(codes & READING), vague)


def period(value: Json) -> tuple[int, int]:
    """Return the first millisecond of a Period and the first one after it. Raises ValueError."""
    start = span(value["start"], SHANGHAI)[0] if value.get("start") else 0
    until = span(value["end"], SHANGHAI)[1] if value.get("end") else FOREVER
    return start, until
