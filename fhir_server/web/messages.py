"""The v2 inbox as people work with it: what came, what became of it, correct and replay.

A message is an internal record, which its adapter writes; this reads the same JSON. Who may is
decided by `authz.decide`; every look leaves an audit row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, NotFound
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Query, Sort, Version
from fhir_server.search.tree import EVERYTHING, Cond, Match, Node, both
from fhir_server.web.internal import guard, tell

STATES = ("failed", "applied", "passed")
PAGE = 25


class Inbox(Protocol):
    """What the pages ask of the adapter that receives messages."""

    async def replay(self, id: str, text: str | None, by: Caller) -> object:
        """Apply a failed message again, with `text` in place of its own. Raises `Conflict`."""


Became = Callable[[str, bytes], Sequence[Mapping[str, Any]]]
"""Takes a source's name and a message's bytes; returns the resources that the message says, as if
the record were empty: whoever may read the message learns nothing more from them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message failed: table 0357 code, place (`PID^1^5`), what was expected."""

    code: str
    location: str
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A text that a person put in the place of the message's own; `time` in milliseconds."""

    text: str
    account: str
    time: int


@dataclass(frozen=True, slots=True)
class Message:
    """An inbound message as its record says; `time` in milliseconds, `made` literal references."""

    source: str
    control_id: str
    event: str
    time: int
    codec: str
    raw: bytes
    acknowledgement: bytes
    code: str
    state: str
    reason: Reason | None = None
    patient: str = ""
    made: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def text(self) -> str:
        """Return what counts now: the last correction, otherwise what was sent."""
        return self.corrections[-1].text if self.corrections else self.sent

    @property
    def sent(self) -> str:
        """Return the message as it was sent, decoded in its own character set."""
        return self.raw.decode(self.codec, "replace")

    @property
    def answer(self) -> str:
        """Return the acknowledgement that the sender received, decoded."""
        return self.acknowledgement.decode(self.codec, "replace")

    @property
    def patients(self) -> tuple[str, ...]:
        """Return whom it is about, for the audit."""
        return (self.patient,) if self.patient else ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are listed: of a state (empty: all), with a control id, from a cursor on."""

    state: str = ""
    control_id: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of messages by their ids, newest first, and the cursor of the next (empty: none)."""

    messages: tuple[tuple[str, Message], ...]
    next: str = ""


_decoder = msgspec.json.Decoder(Message)


def decoded(version: Version | None) -> Message | None:
    """Return the message of a living record."""
    return None if version is None or version.body is None else _decoder.decode(version.body)


async def listing(server: Server, caller: Caller, wanted: Wanted) -> Listing:
    """Return the messages that are wanted. Raises `Forbidden`, and `BadRequest` for no state."""
    query = f"state={wanted.state}&control-id={wanted.control_id}"
    ask = Interaction("search-type", "message", query=query)
    await guard(server, caller, ask, "search")
    if wanted.state not in ("", *STATES):
        raise BadRequest(f"state={wanted.state}: expected {', '.join(STATES)}")
    bind = f"message|{query}|{caller.account}"
    after = server.signer.open(wanted.after, bind) if wanted.after else None
    sort = (Sort("received", descending=True),)
    where = both(_equals("state", wanted.state), _equals("control-id", wanted.control_id))
    page = await server.store.search(Query("message", where, sort, PAGE, after))
    found = tuple((v.key.id, m) for v in page.versions if (m := decoded(v)) is not None)
    about = {patient for _, message in found for patient in message.patients}
    await tell(server, caller, ask, tuple(sorted(about)))
    return Listing(found, server.signer.seal(page.next, bind) if page.next else "")


async def counts(server: Server, caller: Caller) -> dict[str, int]:
    """Return how many messages are in each state. Raises `Forbidden`."""
    ask = Interaction("search-type", "message", query="_summary=count")
    await guard(server, caller, ask, "search")
    return {
        state: await server.store.count(Query("message", _equals("state", state)))
        for state in STATES
    }


async def one(server: Server, caller: Caller, id: str) -> Message:
    """Return one message. Raises `Forbidden`, `NotFound`."""
    ask = Interaction("read", "message", id)
    await guard(server, caller, ask, "read")
    message = decoded(await server.store.read(Key("message", id)))
    if message is None:
        raise NotFound(f"There is no message {id[:64]!r}.")
    await tell(server, caller, ask, message.patients)
    return message


async def replay(
    server: Server, caller: Caller, inbox: Inbox, id: str, text: str | None
) -> Message:
    """Apply a failed message again and return it as it is then. Raises `Forbidden`, `Conflict`.

    The adapter commits the audit row with what the message becomes.
    """
    await guard(
        server, caller, Interaction("operation", "message", id, operation="replay"), "update"
    )
    await inbox.replay(id, text, caller)
    message = decoded(await server.store.read(Key("message", id)))
    if message is None:
        raise NotFound(f"There is no message {id[:64]!r}.")
    return message


def _equals(param: str, value: str) -> Node:
    return Match(param, (Cond("v", "=", value),)) if value else EVERYTHING
