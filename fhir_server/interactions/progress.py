"""Who indexes the store again, and how far that is: a lease, and a place to go on from."""

import time
from collections.abc import Callable, Collection

import msgspec

from fhir_server.errors import PreconditionFailed
from fhir_server.model import Key, Version, Write
from fhir_server.store.protocol import Store

KEY = Key("index", "progress")
LEASE = 15_000
"""Milliseconds after which a process that says nothing is taken for ended."""
_KEPT_AFTER = 1.0


class Progress(msgspec.Struct, frozen=True):
    """Who is at it (`owner`, until `lease` in milliseconds since 1970), and how far that is.

    `after` is the id up to which `type` is done, for the `edition` of its work.
    """

    owner: str = ""
    lease: int = 0
    type: str = ""
    edition: int = 0
    after: str = ""
    done: int = 0
    total: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode
_changed = msgspec.structs.replace


async def read_progress(store: Store) -> tuple[int, Progress]:
    """Return the version of what is kept (0: nothing ever was), and what it says."""
    version: Version | None = await store.read(KEY)
    if version is None or version.body is None:
        return 0, Progress()
    return version.vid, _decode(version.body)


class Lost(Exception):
    """Another process is at it."""


class Lease:
    """The right to index again; it is renewed by keeping how far that is."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        owner: str,
        told: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Take nothing yet; `told` is called with each step of the progress."""
        self.progress = Progress()
        self._store = store
        self._clock = clock
        self._owner = owner
        self._told = told
        self._vid = 0
        self._kept = 0.0

    async def take(self) -> None:
        """Take the lease. Raises `Lost` while another process has it."""
        self._vid, self.progress = await read_progress(self._store)
        if self.progress.lease > self._clock() and self.progress.owner != self._owner:
            raise Lost
        await self._keep(LEASE)

    def begun(self, types: Collection[str]) -> str:
        """Return which of some types was under way, the first of them if none was."""
        return self.progress.type if self.progress.type in types else min(types)

    async def begin(self, type_name: str, edition: int, total: int) -> None:
        """Begin with a type, or go on where it was left. Raises `Lost`."""
        at = self.progress
        if (at.type, at.edition) != (type_name, edition):
            at = _changed(at, type=type_name, edition=edition, after="", done=0)
        self.progress = _changed(at, total=total)
        await self._keep(LEASE)

    async def keep(self, after: str, more: int) -> None:
        """Tell that the records up to one are done: to the store about once a second."""
        at = self.progress
        done = at.done + more
        self.progress = _changed(at, after=after, done=done, total=max(at.total, done))
        self._told(self.progress)
        if time.monotonic() - self._kept > _KEPT_AFTER:
            await self._keep(LEASE)

    async def leave(self) -> None:
        """Let go of it."""
        await self._keep(0)

    async def _keep(self, milliseconds: int) -> None:
        until = self._clock() + milliseconds if milliseconds else 0
        self.progress = _changed(self.progress, owner=self._owner, lease=until)
        write = Write(KEY, _encode(self.progress), expect=self._vid)
        try:
            [version] = await self._store.commit([write])
        except PreconditionFailed:
            raise Lost from None
        self._vid, self._kept = version.vid, time.monotonic()
