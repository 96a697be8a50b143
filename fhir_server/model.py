"""The values that every layer hands on: keys, index entries, versions and writes.

A record is bytes and index entries. FHIR resources and the hub's own things (inbox
messages, tokens,
grants, audit rows: internal types, written in lower case) are the same kind of record.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fhir_server.search.tree import Node

Value = int | float | str


class Key(NamedTuple):
    """A record's name: its type and its id."""

    type: str
    id: str

    def __str__(self) -> str:
        """Return the literal reference, `Type/id`."""
        return f"{self.type}/{self.id}"


DEFINITIONS = Key("index", "set")
"""The record whose versions tell apart the sets of search parameters that entries are made by."""


class Entry(NamedTuple):
    """One index entry of a record: a search parameter and what the record says for it.

    | kind | `v` | `w` | `u` |
    |---|---|---|---|
    | token | code | system, `''` if none | |
    | string | text folded by case, accent and width | text as it stands | |
    | date | first millisecond since 1970 UTC | first millisecond after it | |
    | number | lowest value | highest value | |
    | quantity | lowest value | highest value | `system`, `code`, `unit`, each followed by U+001F |
    | quantity in base units | lowest value | highest value | product of base units of UCUM |
    | uri | uri | | |
    | reference | `Type/id`, absolute URL or canonical | version, `''` if none | |

    `group` binds the parts of a composite (`param` is then `code.0`, `code.1`), `path` is
    `''` or the
    `#id` of the contained resource that said it. Hidden parameters start with `_`: `_owner` (the
    organization that wrote it), `_profile`, `_tag`, `_security`, `_source`.
    """

    param: str
    v: Value
    w: Value = ""
    u: str = ""
    group: int = 0
    path: str = ""


class Text(NamedTuple):
    """The words of a record as full text keeps them (`search.words`): those of its narrative, and
    all others."""

    narrative: str = ""
    rest: str = ""


NO_TEXT = Text()


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record as a store keeps it.

    `body` is what `fhirjson.tail` made of a resource (an internal record's JSON as it is),
    `None` for a
    tombstone. `updated` is milliseconds since 1970 UTC. `auth` are the entries that
    authorization may
    ask for, `patients` the ids of the patients whose compartments the record is in.
    """

    key: Key
    vid: int
    updated: int
    body: bytes | None
    method: str = "PUT"
    auth: tuple[Entry, ...] = ()
    patients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One record to be written: part of a commit.

    `expect` is the version that must be the latest one: `0` says that the record must not exist (or
    be deleted), `None` that it does not matter. `unless` refuses the commit when any record matches
    (If-None-Exist). `body=None` deletes. `text` is what full text finds it by. `under` is the
    version of `DEFINITIONS` (0: none) by which entries and text were made; where another one holds,
    the commit is refused. `at` (milliseconds) is when it was written, where it is carried over from
    another store; else that of the commit.
    """

    key: Key
    body: bytes | None
    entries: tuple[Entry, ...] = ()
    auth: tuple[Entry, ...] = ()
    patients: tuple[str, ...] = ()
    method: str = "PUT"
    expect: int | None = None
    unless: "Query | None" = None
    under: int | None = None
    text: Text = NO_TEXT
    at: int | None = None


class Sort(NamedTuple):
    """One key of an order; a record without a value for `param` comes last, in both directions.

    With `by` the value is measured (`search.measure`): how well the text agrees with `Words`
    (`_score`), or how many metres the nearest of `Near` is away (`near`). With `among` the values
    are those of several parameters. Where it goes by what is `written`, only entries with a
    text in `w` count: what others say is searched, and nothing that the resource says.
    """

    param: str
    descending: bool = False
    by: "tuple[Node, ...]" = ()
    among: tuple[str, ...] = ()
    written: bool = False

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters whose values count."""
        return self.among or (self.param,)


Place = tuple[Value | None, ...]
"""Where a record stands in an order: its sort values (`None`: no value), its patient's number and
its own."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a store is asked: the records of `type` for which `where` holds, in order.

    Without `sort` the order is the store's own, stable under concurrent writes. The page holds what
    comes behind the place `after`; with `back` what comes before it (None: the last ones), in the
    same order. `now` (milliseconds) is what `tree.NOW` stands for in `where`.
    """

    type: str
    where: "Node"
    sort: tuple[Sort, ...] = ()
    limit: int = 20
    after: Place | None = None
    now: int = 0
    back: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What a store is asked of the past: versions of one record, or of all records of some types.

    They come latest first (`ascending`: oldest first), tombstones among them: by `updated`, within
    one millisecond by commit. `since` and `until` (milliseconds) bound `updated`, the latter
    excluded; `current` leaves out what another version had replaced by that time. `after` is the
    key and vid of the version behind which to go on.
    """

    scope: Key | frozenset[str]
    since: int | None = None
    until: int | None = None
    current: int | None = None
    ascending: bool = False
    limit: int = 20
    after: tuple[Key, int] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in order, the place of each in it, and the `after` with which the same walk goes
    on, forward or back (`None`: there is nothing more)."""

    versions: tuple[Version, ...]
    places: tuple[Place, ...] = ()
    next: Place | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change feed: `seq` grows with every committed version."""

    seq: int
    key: Key
    vid: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the change feed with all that was written: what backups and copies are made of.

    `entries` and `text` are those of a record's latest version (none of a tombstone); `None` and
    empty where another version has replaced this one, so that nothing finds it any more.
    """

    seq: int
    version: Version
    entries: tuple[Entry, ...] | None = None
    text: Text = NO_TEXT
