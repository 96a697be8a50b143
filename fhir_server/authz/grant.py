"""Grants and rules: what a consent or a referral lets an institution see, as records to join with.

A grant says *which patient, to whom, from when until when*; a rule says *what*. Rules are interned
by their content, so that a thousand equal consents share one, and a predicate has one branch a rule
rather than one a patient. A grant of named records (a referral's package) lists them itself.

They are records of internal types:

| type | id | entries |
|---|---|---|
| `rule` | hash of its content | `recipient` |
| `recipient` | an Organization's id; it has a new version where there is a new rule | |
| `grant` | hash of whom it is for and from what | those of `Grant.write` |

Times are milliseconds; a grant without an end has `until` = `FOREVER`. `from <= NOW < until` is
tested inside the query, so closing a grant is one write and takes effect on the next request.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import msgspec

from fhir_server import fhirjson
from fhir_server.model import Entry, Key, Version, Write
from fhir_server.search.tree import NOW, Cond, Match, Node, both

FOREVER = 1 << 52


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a rule: all that is given must hold; an empty part says nothing.

    `codes` are `(system, code, exact)`; `exact=False` takes every code that begins with `code`.
    """

    types: tuple[str, ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    codes: tuple[tuple[str, str, bool], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    owner: str = ""


@dataclass(frozen=True)
class Rule:
    """What `recipient` (an Organization's id) may see for `purpose`: `permit`, but not `deny`."""

    recipient: str
    purpose: str
    permit: tuple[Clause, ...]
    deny: tuple[Clause, ...] = ()

    def __hash__(self) -> int:
        """Hash by the id, which is made once: rules are looked up on every request."""
        return hash(self.id)

    @cached_property
    def id(self) -> str:
        """Return the hash of the content: equal rules are one record."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]

    def writes(self) -> tuple[Write, Write]:
        """Return the writes that keep this rule, and tell that its recipient has another one.

        Writing them again changes nothing that matters.
        """
        body = fhirjson.encode(self)
        return (
            Write(Key("rule", self.id), body, (Entry("recipient", self.recipient),)),
            Write(recipient_key(self.recipient), b"{}"),
        )


def recipient_key(organization: str) -> Key:
    """Return the key of the record whose version changes with an Organization's rules."""
    return Key("recipient", organization)


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission for one patient: by `rule` (its id), or for the named `resources` alone.

    `source` is what it follows from (`Consent/…`), `via` the Task that opened it, if one did;
    `part` tells apart what is otherwise the same, as two periods of one consent.
    """

    patient: str
    recipient: str
    source: str
    start: int
    until: int = FOREVER
    purpose: str = "TREAT"
    rule: str = ""
    resources: tuple[str, ...] = ()
    via: str = ""
    part: int = 0

    @property
    def id(self) -> str:
        """Return the hash of whom it is for and what it follows from: closing it finds it again."""
        parts = [self.patient, self.recipient, self.source, self.via, self.rule]
        name = "|".join(parts + [str(self.part)] * bool(self.part))
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    def write(self) -> Write:
        """Return the write that opens, changes or (with `until` in the past) closes this grant.

        An institution has many grants and few of named records: those have its id as `package` too.
        """
        entries = (
            Entry("recipient", self.recipient),
            Entry("rule", self.rule),
            Entry("purpose", self.purpose),
            Entry("from", self.start),
            Entry("until", self.until),
            Entry("source", self.source),
            Entry("via", self.via),
            *((Entry("package", self.recipient),) if self.resources else ()),
            *(Entry("resource", name) for name in self.resources),
        )
        return Write(
            Key("grant", self.id), fhirjson.encode(self), entries, entries, patients=(self.patient,)
        )


_rules = msgspec.json.Decoder(Rule)
_grants = msgspec.json.Decoder(Grant)


def read_rule(version: Version) -> Rule:
    """Return the rule of a living record."""
    return _rule(version.body or b"")


@lru_cache(maxsize=4096)
def _rule(body: bytes) -> Rule:
    """Decode a rule; equal bytes say the same, so what they say may be kept."""
    return _rules.decode(body)


def read_grant(version: Version) -> Grant:
    """Return the grant of a living record."""
    return _grants.decode(version.body or b"")


def active(*more: Node) -> Node:
    """Return the predicate of grants that hold now; what few of them satisfy comes first."""
    return both(
        *more, Match("from", (Cond("v", "<=", NOW),)), Match("until", (Cond("v", ">", NOW),))
    )
