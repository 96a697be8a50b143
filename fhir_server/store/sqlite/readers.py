"""Connections for reading: one of the event loop's thread, and one of each reader thread.

What one turn of the event loop reads is of one moment, in one transaction: it begins with the first
read, and no request can have come, nor any answer have left, until it ends.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import TypeVar

from fhir_server.errors import TooCostly
from fhir_server.store.sqlite import schema
from fhir_server.store.sqlite.connection import Connection
from fhir_server.store.sqlite.deadline import Limit, OutOfPatience, busy, limited

_THREADS = 4
BRIEF = 5
"""So many times 5,000 steps, about a millisecond, a query may take on the event loop."""

_LONGEST = 0.1
"""Seconds after which a turn that goes on, as of a command that only reads, is of another moment:
while it holds one, the journal cannot be written back."""

T = TypeVar("T")


class Readers:
    """Runs queries under a deadline, each on one moment of the store."""

    def __init__(self, path: str, seconds: float) -> None:
        """Remember the file; connections are opened when they are needed."""
        self._path = path
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="store-reader")
        self._own = threading.local()
        self._all: list[Connection] = []

    async def run(self, query: Callable[[Connection, Limit], T]) -> T:
        """Return what `query` returns. Raises TooCostly past the deadline, Busy if it fails.

        It is tried at once, since most queries cost less than a change of threads; one that proves
        long goes to a thread, so that the event loop stands still for a millisecond at most.
        """
        asked = time.monotonic()
        try:
            return _ask(self.turn(), query, self._seconds, BRIEF)
        except OutOfPatience:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._run, query, asked)

    def turn(self) -> Connection:
        """Return the event loop's connection, in the transaction of this turn. Raises Busy."""
        connection, loop = self.connection(), asyncio.get_running_loop()
        now = time.monotonic()
        if connection.in_transaction and self._own.loop is loop and now < self._own.until:
            return connection
        self._end(connection)  # a loop that has ended may have left it open
        connection.execute("BEGIN")
        self._own.loop, self._own.until = loop, now + _LONGEST
        loop.call_soon(self._end, connection)
        return connection

    def connection(self) -> Connection:
        """Return this thread's connection. Raises Busy where the file cannot be opened now."""
        try:
            found: Connection = self._own.connection
        except AttributeError:
            try:
                found = self._own.connection = schema.connect(self._path)
            except sqlite3.OperationalError as fault:
                raise busy("read", fault) from None
            self._all.append(found)
        return found

    async def close(self) -> None:
        """Finish the queries that run and close all connections."""
        await asyncio.to_thread(self._pool.shutdown)
        while self._all:
            self._all.pop().close()

    def _run(self, query: Callable[[Connection, Limit], T], asked: float) -> T:
        left = self._seconds - (time.monotonic() - asked)
        if left <= 0:
            raise TooCostly("Too many queries are waiting; ask again later")
        connection = self.connection()
        connection.execute("BEGIN")
        try:
            return _ask(connection, query, left, inf)
        finally:
            connection.execute("ROLLBACK")

    def _end(self, connection: Connection) -> None:
        if connection in self._all and connection.in_transaction:
            connection.execute("ROLLBACK")


def _ask(
    connection: Connection, query: Callable[[Connection, Limit], T], seconds: float, looks: float
) -> T:
    with limited(connection, seconds, looks) as limit:
        return query(connection, limit)
