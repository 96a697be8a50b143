"""Callers who asked before: whether anything about them has changed is one question to the store.

1. Who asks follows from a few records: token, account, role, institution, what names it as a
   recipient. Whatever is read of them is noted with its version.
2. At the next request one query asks for the versions of all of them. If each is the one that was
   read, the caller is who he was; else everything is read anew. So a revoked token, a closed role,
   a new consent act on the next request, whichever process wrote them.
3. What depends on the time, the ends of the token and of the role, is compared on every request.
"""

from dataclasses import dataclass

from fhir_server.authz.caller import Caller
from fhir_server.model import Key, Version
from fhir_server.store.protocol import Store

_MOST = 10_000


class Reading:
    """Point reads of a store, noted with the version that each found (0: none)."""

    def __init__(self, store: Store) -> None:
        """Note nothing yet."""
        self.store = store
        self.vids: dict[Key, int] = {}

    async def read(self, key: Key) -> Version | None:
        """Return the latest version. What is read twice counts as it was first."""
        version = await self.store.read(key)
        self.vids.setdefault(key, version.vid if version else 0)
        return version


@dataclass(frozen=True, slots=True)
class Familiar:
    """A caller, the versions that he was read from, and from when until when they say so."""

    caller: Caller
    keys: tuple[Key, ...]
    vids: tuple[int, ...]
    start: int
    until: int

    async def now(self, store: Store, now: int, request: str) -> Caller | None:
        """Return the caller as of this request; None where anything may be otherwise."""
        if not self.start <= now < self.until or await store.vids(self.keys) != self.vids:
            return None
        return self.caller.at(now, request)


class Familiars:
    """Familiar callers by their token's id."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._known: dict[str, Familiar] = {}

    def get(self, token: str) -> Familiar | None:
        """Return whom a token stood for when it was last read."""
        return self._known.get(token)

    def keep(self, reading: Reading, caller: Caller, start: int, until: int) -> None:
        """Keep a caller that was read from the records of `reading`."""
        if len(self._known) >= _MOST:
            self._known.clear()
        keys, vids = tuple(reading.vids), tuple(reading.vids.values())
        self._known[caller.token] = Familiar(caller, keys, vids, start, until)
