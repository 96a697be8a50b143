"""Records are indexed again, beside everything else, where search parameters changed.

1. One process at a time does it, under a lease that it renews about once a second. Where it ends
   without a word, another one takes up after the lease, at the record where progress was last kept;
   to index a record twice does no harm.
2. A record that is written meanwhile is right already: it has another version then, and is passed
   over here.
3. If more changes on a type that is under way, it begins anew. A type is done when its last record
   is, and the last that contains one of the type; only then may its parameters be asked for.
4. Beside requests it works a few milliseconds at a stretch, and rests twice as long as it worked.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from fhir_server import fhirjson
from fhir_server.errors import HubError, Outdated, PreconditionFailed, TooCostly
from fhir_server.interactions.index import Known, indexing_writes, read_indexing
from fhir_server.interactions.progress import Lease, Lost, Progress
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import OWNER, indexed
from fhir_server.log import get_logger
from fhir_server.model import Query, Version, Write
from fhir_server.search.tree import EVERYTHING, Contained
from fhir_server.store.protocol import Maintenance

_TOGETHER = 50
_STRETCH = 0.004
_LOOKS_AFTER = 2.0
_REST = 2.0

log = get_logger("index")


class _Changed(Exception):
    """More has changed on the type that is under way."""


async def keep_indexed(server: Server, store: Maintenance) -> None:
    """Do what comes up, for as long as the process lives."""
    owner = server.new_id()
    while True:
        try:
            await reindex(server, store, owner, rest=_REST)
        except HubError as fault:
            log.warning("index.interrupted", exc_info=fault)
        except Exception as fault:  # the task's edge: it tries again as long as the process lives
            log.error("index.failed", exc_info=fault)
        await asyncio.sleep(_LOOKS_AFTER)


async def reindex(
    server: Server,
    store: Maintenance,
    owner: str,
    *,
    rest: float = 0,
    told: Callable[[Progress], None] = lambda progress: None,
) -> bool:
    """Do what there is to do, as `owner`; False where another process is at it. Raises `Busy`.

    After each stretch of work it rests `rest` times as long. `told` is called with how far it is.
    """
    if not (await server.index.refresh()).indexing.work:
        return True
    lease = Lease(server.store, server.clock, owner, told)
    with suppress(Lost):
        await lease.take()
        while work := (await server.index.refresh()).indexing.work:
            with suppress(_Changed):
                await _Walk(server, store, lease, rest).all(lease.begun(work))
        await lease.leave()
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Walk:
    """One way through all records of a type."""

    server: Server
    store: Maintenance
    lease: Lease
    rest: float

    async def all(self, type_name: str) -> None:
        """Index a type again. Raises `_Changed`, `Lost`."""
        edition = self.server.index.known.indexing.work[type_name].edition
        await self.lease.begin(type_name, edition, await self._total(type_name))
        some: list[Version] = []
        async for version in self.store.scan(type_name, self.lease.progress.after):
            some.append(version)
            if len(some) == _TOGETHER:
                await self._some(some)
                some = []
        if some:
            await self._some(some)
        for holder in sorted(self.server.index.official.resource_types - {type_name}):
            await self._containers(holder, type_name)
        await self._finish(type_name, edition)
        log.info("index.done", type=type_name, records=self.lease.progress.done)

    async def _total(self, type_name: str) -> int:
        try:
            return await self.server.store.count(Query(type_name, EVERYTHING))
        except TooCostly:
            return 0  # it grows with what is done

    async def _containers(self, holder: str, type_name: str) -> None:
        """Index what contains resources of the type: it is found by what they say."""
        query = Query(holder, Contained(type_name, EVERYTHING), limit=_TOGETHER)
        while True:
            page = await self.server.store.search(query)
            if page.versions:
                await self._indexed(page.versions)
                await self.lease.keep(self.lease.progress.after, 0)
            if page.next is None:
                return
            query = replace(query, after=page.next)

    async def _some(self, versions: Sequence[Version]) -> None:
        """Index some records of the type again, and tell that they are done."""
        await self._indexed(versions)
        await self.lease.keep(versions[-1].key.id, len(versions))

    async def _indexed(self, versions: Sequence[Version]) -> None:
        while True:
            try:
                await self.store.reindex(await self._written(versions))
                return
            except Outdated:
                await self._go_on()

    async def _written(self, versions: Sequence[Version]) -> list[Write]:
        known = self.server.index.known
        writes: list[Write] = []
        began = time.perf_counter()
        for version in versions:
            writes.append(_by_other_entries(known, version))
            worked = time.perf_counter() - began
            if worked > _STRETCH:
                await asyncio.sleep(self.rest * worked)
                began = time.perf_counter()
        return writes

    async def _go_on(self) -> None:
        """Go on where other types have changed. Raises `_Changed` where this one has."""
        at = self.lease.progress
        work = (await self.server.index.refresh()).indexing.work.get(at.type)
        if work is None or work.edition != at.edition:
            raise _Changed

    async def _finish(self, type_name: str, edition: int) -> None:
        """Let the type's parameters be asked for. Raises `_Changed` where more came up."""
        while True:
            version, indexing = await read_indexing(self.server.store)
            made = indexing.done(type_name, edition)
            if made == indexing:
                raise _Changed
            with suppress(PreconditionFailed):
                writes = indexing_writes(made, version.vid if version else 0)
                await self.server.store.commit(writes)
                return


def _by_other_entries(known: Known, version: Version) -> Write:
    own = [entry for entry in version.auth if entry.param == OWNER]
    write = Write(version.key, version.body, expect=version.vid)
    return indexed(known, write, fhirjson.resource(version), own)


async def again(server: Server, type_name: str) -> None:
    """Let all records of a type be indexed again, though nothing has changed."""
    while True:
        version, indexing = await read_indexing(server.store)
        made = indexing.with_work({type_name: ()})
        with suppress(PreconditionFailed):
            await server.store.commit(indexing_writes(made, version.vid if version else 0))
            return
