"""What this process knows of how the store is indexed: user parameters, and what is under way.

1. The record `index/set` has a new version whenever what is indexed changes; `index/content`, which
   changes with it, says what. A request that asks by parameters looks at the first one, so that
   every process notices a change with the next request.
2. A write tells under which version of the set its entries were made. The store refuses it where
   another one holds by then; it is made again, so that no write is lost to the index.
3. A process whose own R4 parameters are not those that the store is indexed by is of another
   version of the hub: it answers no question and makes no write that this concerns.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from conformance.definitions import Definitions
from fhir_server.errors import Busy, PreconditionFailed
from fhir_server.interactions.progress import Progress, read_progress
from fhir_server.model import DEFINITIONS, Key, Query, Version, Write
from fhir_server.search.extract import Extractor
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.indexing import Indexing, differing, fingerprint, fingerprints
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.protocol import Store

CONTENT = Key("index", "content")
OFFICIAL = Key("index", "official")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Indexing).decode
_prints = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class Known:
    """One version of the set (0: nothing was ever defined), and what follows from it.

    `blocked` are the parameters that cannot be asked for, by type.
    """

    vid: int
    indexing: Indexing
    definitions: Definitions
    extractor: Extractor
    blocked: Mapping[str, Collection[str]]
    foreign: frozenset[str] = frozenset()


class Index:
    """What is known, and how it is kept up with the store."""

    def __init__(self, store: Store, extractor: Extractor) -> None:
        """Begin with R4's own parameters, which `extractor` computes."""
        self.official = extractor.definitions
        self.known = Known(0, Indexing(), self.official, extractor, {})
        self.progress = Progress()
        self._store = store
        self._own = extractor

    async def refresh(self) -> Known:
        """Look whether the set has changed, and return what is known now."""
        version = await self._store.read(DEFINITIONS)
        if version is not None and version.vid != self.known.vid:
            await self._load()
        if self.known.indexing.work:
            _, self.progress = await read_progress(self._store)
        return self.known

    def told(self) -> str:
        """Return how far what is under way is, in words; nothing where nothing is."""
        work = self.known.indexing.work
        if not work:
            return ""
        at = self.progress
        if at.type not in work or work[at.type].edition != at.edition:
            return "it has not begun; try again later"
        others = f"; {len(work) - 1} other types wait" if len(work) > 1 else ""
        # No numbers of records: how many there are is not for every caller.
        return f"{100 * at.done // max(at.total, 1)} % of {at.type} are done{others}"

    async def settle(self) -> None:
        """Let the store be indexed as this version of the hub does it; called once at the start.

        What it makes otherwise is indexed again.
        """
        prints = fingerprints(self.official)
        while True:
            version, indexing = await read_indexing(self._store)
            if indexing.official == fingerprint(prints):
                break
            kept = await self._store.read(OFFICIAL)
            work: Mapping[str, Collection[str]] = (
                differing(self.official, _prints(kept.body), prints)
                if kept is not None and kept.body is not None
                else {name: _new(name) for name in await self._filled()}
            )
            made = indexing.with_work(work)
            words = indexing.words if kept is not None else self._with_words()
            made = msgspec.structs.replace(made, official=fingerprint(prints), words=words)
            writes = indexing_writes(made, version.vid if version else 0)
            if kept is None or kept.body != _encode(prints):
                writes.append(Write(OFFICIAL, _encode(prints)))
            with suppress(PreconditionFailed):
                await self._store.commit(writes)
        await self.refresh()

    async def settle_words(self) -> None:
        """Let the store have the words of the types that this process keeps words of.

        Called where a hub begins to serve: a command beside it may have other settings.
        """
        kept = self._with_words()
        while (await self.refresh()).indexing.words != kept:
            version, indexing = await read_indexing(self._store)
            made = indexing.with_words(kept, await self._filled())
            with suppress(PreconditionFailed):
                await self._store.commit(indexing_writes(made, version.vid if version else 0))

    def _with_words(self) -> tuple[str, ...]:
        covers = self._own.full_text.covers
        return tuple(name for name in sorted(self.official.resource_types) if covers(name))

    async def _filled(self) -> list[str]:
        """Return the types that there are records of."""
        found = []
        for type_name in sorted(self.official.resource_types):
            if (await self._store.search(Query(type_name, EVERYTHING, limit=1))).versions:
                found.append(type_name)
        return found

    async def _load(self) -> None:
        version, indexing = await read_indexing(self._store)
        if version is None or version.vid <= self.known.vid:
            return
        definitions = indexing.definitions(self.official)
        extractor = self._own
        if indexing.parameters:
            extractor = self.known.extractor.under(definitions)
        foreign = await self._foreign(indexing)
        blocked = {name: _askable(definitions, name, w.codes) for name, w in indexing.work.items()}
        for name, codes in foreign.items():
            blocked.setdefault(name, set()).update(codes)
        if version.vid > self.known.vid:  # another request may have been faster
            self.known = Known(
                version.vid, indexing, definitions, extractor, blocked, frozenset(foreign)
            )

    async def _foreign(self, indexing: Indexing) -> Mapping[str, Collection[str]]:
        prints = fingerprints(self.official)
        if indexing.official in ("", fingerprint(prints)):
            return {}
        kept = await self._store.read(OFFICIAL)
        if kept is None or kept.body is None:
            return {}
        return differing(self.official, _prints(kept.body), prints)


def _new(type_name: str) -> tuple[str, ...]:
    """Return what the records of a store that nobody has settled yet are not indexed by."""
    return (*SCOPES, "near") if type_name == "Location" else tuple(SCOPES)


def _askable(definitions: Definitions, type_name: str, codes: Collection[str]) -> set[str]:
    """Return those of some parameters that there still are."""
    return {*SCOPES, *definitions.search_parameters(type_name)}.intersection(codes)


async def read_indexing(store: Store) -> tuple[Version | None, Indexing]:
    """Return the latest version of what is indexed, and what it says."""
    version = await store.read(CONTENT)
    if version is None or version.body is None:
        return None, Indexing()
    return version, _decode(version.body)


def indexing_writes(indexing: Indexing, vid: int) -> list[Write]:
    """Return the writes of what is indexed from now on, in the place of version `vid`."""
    return [
        Write(DEFINITIONS, b"{}", expect=vid),
        Write(CONTENT, _encode(indexing), expect=vid),
    ]


def other_version(type_name: str) -> Busy:
    """Return what a process of another version of the hub answers."""
    return Busy(
        f"Another version of the hub indexes {type_name} now, and this process is not of it; "
        "end it, and start it anew with that version."
    )
