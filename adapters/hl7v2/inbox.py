"""The inbox: a message is applied, kept and answered in one commit.

1. The resources, their Provenance, the message's own record and the audit row are one commit, and
   only then is the message acknowledged. "Acknowledged but not stored" cannot happen.
2. A message is known by its source, its control id and its bytes. One that is known already changes
   nothing and receives the acknowledgement that is kept.
3. A content fault is answered AE and kept with its reason; a person corrects and replays it.
4. A fault of ours is answered AR and nothing is kept: the sender tries again, unchanged.
5. Messages of one patient are applied in the order they came; patients do not wait for each other.
6. What arrives late or twice by way of another message does no harm: see `merge`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.hl7v2 import received
from adapters.hl7v2.ack import SYSTEM_FAULT, acknowledge, due, outcome_of
from adapters.hl7v2.faults import DATA_TYPE, INTERNAL, ContentFault, Location
from adapters.hl7v2.lanes import Lanes
from adapters.hl7v2.mapping import Mapped, lane_of, map_message
from adapters.hl7v2.opening import Opened, open_message
from adapters.hl7v2.received import Correction, Received, reason_of
from adapters.hl7v2.record import writes_of
from adapters.hl7v2.source import Ids, Source
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.errors import Conflict, HubError, NotFound
from fhir_server.interactions.commit import commit, persist
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.server import Server
from fhir_server.log import get_logger
from fhir_server.model import Key, Write

_log = get_logger("hl7v2")
_ASK = Interaction("operation", operation="process-message")
_UNKNOWN_SENDER = ContentFault(INTERNAL, Location("MSH", 1, 4), "no source of this name is set up")


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where messages come in; `counted` is told of each answer: source and code."""

    server: Server
    sources: Sequence[Source]
    ids: Ids
    counted: Callable[[str, str], None] = lambda source, code: None
    lanes: Lanes = field(default_factory=Lanes)

    async def receive(self, raw: bytes, peer: str) -> bytes | None:
        """Take a message in and return the bytes to answer with; None asks for silence."""
        opened = open_message(raw, self.sources)
        try:
            if opened.source is None:
                sender = (opened.header.sending_application, opened.header.sending_facility)
                _log.warning("message.unknown_sender", peer=peer, sender=sender)
                return self._answer(opened, _UNKNOWN_SENDER)[1] or None
            return await self._receive(raw, opened, opened.source)
        except Exception:  # the edge: whatever went wrong here, the sender may try again
            _log.exception("message.not_taken", peer=peer)
            return self._answer(opened, SYSTEM_FAULT)[1] or None

    async def replay(self, id: str, text: str | None, by: Caller) -> Received:
        """Apply a failed message again, with `text` in the place of its own where that is given.

        The original is kept. Raises `NotFound`, and `Conflict` for a message that did not fail.
        """
        first = received.read(await self.server.store.read(Key("message", id)))
        if first is None:
            raise NotFound(f"There is no message {id[:64]!r}.")
        raw = first.raw if text is None else text.encode(first.codec, "xmlcharrefreplace")
        opened = open_message(raw, self.sources)
        source = next((one for one in self.sources if one.name == first.source), opened.source)

        async def attempt() -> Reply:
            version = await self.server.store.read(Key("message", id))
            kept = received.read(version)
            if version is None or kept is None or kept.state != "failed":
                raise Conflict("Only a message that failed can be replayed.")
            if text is not None:
                more = Correction(text, by.account, self.server.clock())
                kept = replace(kept, corrections=(*kept.corrections, more))
            done, writes = await self._apply(raw, opened, source, kept)
            entry = received.write(id, done, version.vid)
            await commit(self.server, by, _ASK, [entry, *writes], 200)
            return Reply(200)

        async with self.lanes.turn(self._lane(opened, source)):
            await persist(self.server, attempt)
        done = received.read(await self.server.store.read(Key("message", id)))
        assert done is not None  # it was committed above
        _log.info("message.replayed", id=id, state=done.state)
        return done

    async def _receive(self, raw: bytes, opened: Opened, source: Source) -> bytes | None:
        id = message_id(source, opened.header.control_id, raw)

        async def attempt() -> Reply:
            known = received.read(await self.server.store.read(Key("message", id)))
            if known is not None:
                _log.info("message.again", id=id)
                return Reply(200, known.acknowledgement)
            now = self.server.clock()
            fresh = self._fresh(raw, opened, source, now)
            done, writes = await self._apply(raw, opened, source, fresh)
            entry = received.write(id, done, 0)
            caller = feed_caller(source, now)
            status = 422 if done.state == "failed" else 200
            await commit(self.server, caller, _ASK, [entry, *writes], status)
            self.counted(source.name, done.code)
            reason = done.reason.code if done.reason else None
            _log.info("message.received", id=id, state=done.state, reason=reason)
            return Reply(200, done.acknowledgement)

        async with self.lanes.turn(self._lane(opened, source)):
            return (await persist(self.server, attempt)).body or None

    async def _apply(
        self, raw: bytes, opened: Opened, source: Source | None, entry: Received
    ) -> tuple[Received, list[Write]]:
        """Return a message as it will be kept and what it changes: nothing where it fails."""
        try:
            mapped, writes = await self._changes(raw, opened, source)
        except ContentFault as fault:
            code, answer = self._answer(opened, fault)
            failed = replace(entry, state="failed", reason=reason_of(fault), made=())
            return _answered(failed, code, answer), []
        code, answer = self._answer(opened, None)
        patient = next((one.id for one in mapped.contributions if one.type == "Patient"), "")
        applied = replace(
            entry,
            state="applied" if mapped.contributions else "passed",
            reason=None,
            patient=patient,
            made=tuple(dict.fromkeys(f"{one.type}/{one.id}" for one in mapped.contributions)),
            unread=mapped.unread,
        )
        return _answered(applied, code, answer), writes

    async def _changes(
        self, raw: bytes, opened: Opened, source: Source | None
    ) -> tuple[Mapped, list[Write]]:
        if opened.fault is not None:
            raise opened.fault
        if opened.message is None or source is None:
            raise _UNKNOWN_SENDER
        now = self.server.clock()
        digest = hashlib.sha256(raw).hexdigest()
        mapped = map_message(opened.message, source, self.ids, _moment(now), digest)
        try:
            caller = feed_caller(source, now)
            return mapped, await writes_of(self.server, caller, mapped.contributions)
        except HubError as error:
            if error.status >= 500:
                raise
            told = "; ".join(f"{one.expression} {one.diagnostics}".strip() for one in error.issues)
            raise ContentFault(DATA_TYPE, Location("MSH"), told) from error

    def _fresh(self, raw: bytes, opened: Opened, source: Source, now: int) -> Received:
        header = opened.header
        event = "^".join(part for part in (header.type, header.event) if part)
        return Received(
            source=source.name,
            control_id=header.control_id,
            event=event,
            time=now,
            codec=opened.codec,
            raw=raw,
            acknowledgement=b"",
            code="",
            state="failed",
        )

    def _answer(self, opened: Opened, fault: ContentFault | None) -> tuple[str, bytes]:
        """Return the acknowledgement code and the bytes, both empty where silence is asked for."""
        mode = opened.source.mode if opened.source else "original"
        code = due(opened.header, outcome_of(fault), mode)
        if code is None:
            return "", b""
        text = acknowledge(
            opened.header,
            code,
            control_id=self.server.new_id()[:20],
            time=_moment(self.server.clock()),
            fault=fault,
        )
        return code, text.encode(opened.codec, "replace")

    def _lane(self, opened: Opened, source: Source | None) -> tuple[str, str] | None:
        if opened.message is None or source is None:
            return None
        return lane_of(opened.message, source)


def message_id(source: Source, control_id: str, raw: bytes) -> str:
    """Return the id of a message: the same for the same bytes of the same source."""
    parts = (source.name.encode(), control_id.encode(), raw)
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(framed).hexdigest()[:40]


def feed_caller(source: Source, now: int) -> Caller:
    """Return who a source's messages are written by: its institution's feed."""
    return Caller(
        kind="feed",
        account=source.name,
        name=source.name,
        organization=source.owner,
        organizations=frozenset({source.owner}),
        client=source.name,
        scopes=(Scope("system", "*", VERBS),),
        now=now,
    )


def _answered(entry: Received, code: str, answer: bytes) -> Received:
    """Keep the first answer: a correction does not change what the sender was told."""
    if entry.acknowledgement or entry.code:
        return entry
    return replace(entry, code=code, acknowledgement=answer)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
