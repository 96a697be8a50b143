"""Turns: requests that lost a race for a record try again one after the other.

A commit is decided by the store, whoever else writes; so nothing is ever locked for it. But when
dozens rewrite one record, each round has one winner, and all others would prepare their write
again for nothing. Those who lost once wait here for the record's turn, and whoever comes to it
meanwhile waits behind them. Several records are waited for in one order, so that no two requests
wait for each other.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from fhir_server.model import Key


class Turns:
    """A first-come lock for each record, kept only while somebody holds it or waits."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._locks: dict[Key, tuple[asyncio.Lock, int]] = {}

    def awaited(self, key: Key) -> bool:
        """Tell whether somebody holds a record's turn or waits for it."""
        return key in self._locks

    @asynccontextmanager
    async def take(self, keys: Iterable[Key]) -> AsyncIterator[None]:
        """Wait for the turn of all these records, and hold it inside."""
        async with AsyncExitStack() as held:
            for key in sorted(set(keys)):
                await held.enter_async_context(self._one(key))
            yield

    @asynccontextmanager
    async def _one(self, key: Key) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(key)
            if waiting > 1:
                self._locks[key] = (lock, waiting - 1)
