"""Decide what a caller may do: a refusal, or the predicate of the records it may be done to.

The predicate is joined with the query before any store sees it (`restrict` does so at every hop),
or evaluated in memory for one record (`single`). Nobody filters results afterwards.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fhir_server.authz import scopes, tables
from fhir_server.authz.caller import Caller
from fhir_server.authz.grant import Rule, active
from fhir_server.authz.rules import predicate
from fhir_server.search.tree import (
    EVERYTHING,
    Cond,
    ForEachPatient,
    Has,
    Match,
    Node,
    Not,
    OnlyPatients,
    both,
    either,
    missing,
)

Verb = Literal["create", "read", "update", "delete", "search", "history"]
Subjects = Literal["any", "readable", "owned"]

LETTER: dict[Verb, str] = {
    "create": "c",
    "read": "r",
    "update": "u",
    "delete": "d",
    "search": "s",
    "history": "r",
}

AUTHORIZING = frozenset(
    (
        "_context",
        "_owner",
        "_security",
        "actor",
        "category",
        "class",
        "code",
        "owner",
        "type",
        "vaccine-code",
    )
)
"""The parameters that the predicates made here may ask for: every version keeps their entries."""


@dataclass(frozen=True, slots=True)
class Deny:
    """The caller may not do this to any record of the type."""

    reason: str


@dataclass(frozen=True, slots=True)
class Allow:
    """The caller may do this to the records for which `where` holds.

    For a write, `where` must hold of what it changes and of what it leaves; and each patient in
    whose compartment the new state is must be *readable* by the caller (`decide` of Patient, read)
    or *owned* by the caller's institution, as `subjects` says. A patient who is not is treated as
    absent.
    """

    where: Node
    subjects: Subjects = "any"


Decision = Deny | Allow


def decide(caller: Caller, type: str, verb: Verb) -> Decision:
    """Decide about all records of `type`, from the caller alone; once for each caller."""
    found: Decision | None = caller.decided.get((type, verb))
    if found is None:
        found = caller.decided[type, verb] = _decide(caller, type, verb)
    return found


def _decide(caller: Caller, type: str, verb: Verb) -> Decision:
    group = tables.GROUPS.get(type)
    if group is None:
        return Deny(f"There is no rule for {type}.")
    if not scopes.permits(caller.scopes, type, LETTER[verb]):
        return Deny(f"The token's scopes do not cover {verb} of {type}.")
    if group == "internal":
        return _internal(caller, type, verb)
    if group == "trail":
        return _trail(caller, verb)
    if any(scope.level == "patient" for scope in caller.scopes) and not caller.patient:
        return Deny("A patient/ scope needs a token that is bound to a patient.")
    if verb in ("read", "search", "history"):
        return _reading(caller, type)
    return _writing(caller, type, verb)


def own(caller: Caller) -> Node:
    """Return the predicate of the records that the caller's institution owns."""
    return _in("_owner", caller.organizations)


def package(caller: Caller) -> Node:
    """Return the predicate of the records that a grant names to the caller's institution."""
    purpose = Match("purpose", (Cond("v", "=", caller.purpose),))
    return Has("grant", "resource", active(_in("package", caller.organizations), purpose))


def _in(param: str, values: frozenset[str]) -> Node:
    return Match(param, (Cond("v", "in", tuple(sorted(values))),))


def _internal(caller: Caller, type: str, verb: Verb) -> Decision:
    if caller.kind in ("operator", "open") and type != "audit":
        return Allow(EVERYTHING)
    reads = verb in ("read", "search", "history")
    if caller.kind == "admin" and type in (tables.ADMIN_READS if reads else tables.ADMIN_WRITES):
        return Allow(EVERYTHING)
    return Deny(f"The records of {type} are the administrator's.")


def _trail(caller: Caller, verb: Verb) -> Decision:
    if verb not in ("read", "search"):
        return Deny("The hub alone writes AuditEvents, and each has one version.")
    if caller.patient and caller.kind == "patient":
        return Allow(OnlyPatients(frozenset((caller.patient,))))
    if caller.kind in ("auditor", "operator", "open") and not caller.patient:
        return Allow(EVERYTHING)
    return Deny("AuditEvents are read by auditors, and by patients where they are about them.")


def _reading(caller: Caller, type: str) -> Decision:
    group = tables.GROUPS[type]
    if group == "definition":
        return Allow(EVERYTHING)
    if group == "directory" and type != "Schedule":
        return Allow(EVERYTHING)
    where = _record(caller, type)
    if type == "Binary" and where not in (None, EVERYTHING):
        # Access to one with a securityContext follows that, and is decided one by one.
        return Allow(both(where, missing("_context")))
    if type == "Schedule":
        # A Schedule may be a patient's own; then it is a record like others.
        impersonal = Not(Match("actor", (Cond("v", "prefix", "Patient/"),)))
        return Allow(impersonal if where is None else either(impersonal, where))
    if where is None:
        return Deny(f"This role does not read {type}.")
    return Allow(where)


def _record(caller: Caller, type: str) -> Node | None:
    """Return which records of patients and institutions the caller reads, None if none at all."""
    bound = OnlyPatients(frozenset((caller.patient,))) if caller.patient else EVERYTHING
    match caller.kind:
        case "operator" | "open":
            return bound
        case "patient":
            return bound if caller.patient else None
        case "feed":
            return both(bound, own(caller))
        case "staff":
            shared = _shared(caller, type)
            return None if shared is None else both(bound, shared)
        case _:
            return None


def _shared(caller: Caller, type: str) -> Node | None:
    allowed = tables.DUTY_READS.get(caller.duty, frozenset())
    if allowed is not None and type not in allowed | tables.DIRECTORY:
        return None
    branches = [own(caller), package(caller)]
    if tables.GROUPS[type] == "record":
        branches += (
            _consented(rule, type)
            for rule in caller.rules
            if rule.purpose == caller.purpose and rule.recipient in caller.organizations
        )
    return either(*branches)


@lru_cache(maxsize=2048)
def _consented(rule: Rule, type: str) -> Node:
    """Return what one rule opens of one type: no caller is in it, so it may be kept."""
    recipient = Match("recipient", (Cond("v", "=", rule.recipient),))
    holds = active(recipient, Match("rule", (Cond("v", "=", rule.id),)))
    return both(ForEachPatient("grant", holds), predicate(rule, type))


def _writing(caller: Caller, type: str, verb: Verb) -> Decision:
    if type in tables.ADDED_ONLY and verb != "create" and caller.kind not in ("operator", "open"):
        return Deny(f"A {type} stays as it was written.")
    bound = OnlyPatients(frozenset((caller.patient,))) if caller.patient else EVERYTHING
    match caller.kind:
        case "operator" | "open":
            return Allow(bound)
        case "patient":
            if caller.patient and verb in tables.PATIENT_WRITES.get(type, ()):
                return Allow(bound)
        case "feed":
            if type in tables.FEED_WRITES:
                return Allow(both(bound, own(caller)), "owned")
        case "staff":
            if type in tables.DUTY_WRITES.get(caller.duty, ()):
                return Allow(both(bound, _changeable(caller, type, verb)), _subjects(type))
    return Deny(f"This role does not {verb} {type}.")


def _changeable(caller: Caller, type: str, verb: Verb) -> Node:
    if type != "Task" or verb != "update":
        return own(caller)
    # The receiver of a referral moves its Task on; the referral's rules say how.
    owners = frozenset(f"Organization/{name}" for name in caller.organizations)
    return either(own(caller), both(package(caller), _in("owner", owners)))


def _subjects(type: str) -> Subjects:
    return "owned" if type == "Consent" else "readable"
