"""A source: one sending system as the site has described it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from adapters.hl7v2.ack import Mode

RESIDENT_ID = "urn:oid:2.16.156.10011.1.3"

Ids = Callable[[str, str, str], str]
"""`ids(type, system, value)` gives the id of the resource that an identifier from outside names."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An assigning authority: how the source names it (CX.4, EI.2) and the identifier system."""

    name: str
    system: str
    organization: str = ""  # id of the Organization that assigns


@dataclass(frozen=True, slots=True)
class Source:
    """What the hub knows about a sending system before it sends.

    Messages are its whose MSH-4 is `facility` (and MSH-3 one of `applications`, where any are set);
    `owner` is the id of the Organization that what they make belongs to.
    `patient` is the authority whose PID-3 repetition identifies a patient; a repetition that names
    no authority is taken to be its. `visits`, `placers` and `fillers` are the systems of PV1-19,
    ORC-2 and ORC-3 where the message names none; by default they are the source's own.
    `identity` says what happens to a message without patient or order number: it is refused, or
    (to look at what it would become) the message itself stands for the number.
    `classes`, `code_systems` and `units` come before the shared tables.
    """

    name: str
    facility: str
    owner: str
    patient: Authority
    applications: frozenset[str] = frozenset()
    authorities: tuple[Authority, ...] = ()
    visits: str = ""
    placers: str = ""
    fillers: str = ""
    staff: str = ""
    default_charset: str | None = None
    timezone: str = "Asia/Shanghai"
    processing_ids: frozenset[str] = frozenset({"P"})
    mode: Mode = "original"
    identity: Literal["required", "message"] = "required"
    unsupported: Literal["ignore", "reject"] = "reject"
    classes: Mapping[str, str] = field(default_factory=dict)
    code_systems: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    conclusions: frozenset[str] = frozenset()  # OBX-3 codes whose text is the report's conclusion

    def local(self, table: str) -> str:
        """Return the system of the source's own codes or numbers of a kind."""
        return f"urn:local:{self.name}:{table}"

    def known(self) -> tuple[Authority, ...]:
        """Return all authorities of the source's table."""
        return (self.patient, *self.authorities)

    def authority(self, name: str) -> Authority | None:
        """Return the authority that the source calls `name`."""
        return next((authority for authority in self.known() if authority.name == name), None)


def read_sources(text: bytes) -> tuple[Source, ...]:
    """Read sources from JSON: a list of objects with the fields of `Source`.

    Raises ValueError that says where something else stands.

    >>> [one.name for one in read_sources(b'''[{"name": "his", "facility": "H1", "owner": "h1",
    ...     "patient": {"name": "H1", "system": "urn:oid:1.2.3"}}]''')]
    ['his']
    """
    try:
        return msgspec.json.decode(text, type=tuple[Source, ...])
    except msgspec.MsgspecError as fault:
        raise ValueError(f"the HL7 v2 sources cannot be read: {fault}") from fault
