"""A load generator: so many kept connections, each sending its next request when the last is
answered.

https://www.rfc-editor.org/rfc/rfc9112

A request is bytes made beforehand, so that on a machine shared with the server the client takes
little.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import uvloop

from fhir_server.bench.connection import Answer, Connection, http
from fhir_server.bench.target import Target

Then = Callable[[Answer], None]
Open = Callable[[Target], Awaitable[Connection]]


class Call(NamedTuple):
    """A request ready to be sent, and how many units (resources, messages) it stands for."""

    data: bytes
    units: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a load: answers by status, units of those that succeeded, the seconds it took,
    latencies in seconds, sorted."""

    statuses: Counter[int]
    units: int
    seconds: float
    latencies: tuple[float, ...]

    @property
    def failed(self) -> int:
        """Return how many answers were not 2xx, or never came."""
        return sum(count for status, count in self.statuses.items() if status // 100 != 2)

    def quantile(self, share: float) -> float:
        """Return the latency that `share` of the answers did not exceed."""
        last = len(self.latencies) - 1
        return self.latencies[min(last, int(share * len(self.latencies)))] if last >= 0 else 0.0


def call(
    target: Target, method: str, path: str, body: bytes = b"", units: int = 1, **headers: str
) -> Call:
    """Build a request; `path` follows the base, `_` in a header's name stands for `-`."""
    parts = urlsplit(target.base)
    lines = [f"{method} {parts.path}{path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines.append("Accept: application/fhir+json")
    if target.token:
        lines.append(f"Authorization: Bearer {target.token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    return Call(("\r\n".join(lines) + "\r\n\r\n").encode() + body, units)


def timed(calls: Iterable[Call], seconds: float) -> Iterator[Call]:
    """Yield from `calls`, at least one, until so many seconds have gone by."""
    end = time.monotonic() + seconds
    for each in calls:
        yield each
        if time.monotonic() > end:
            return


def run(
    target: Target,
    calls: Iterable[Call],
    connections: int = 16,
    then: Then | None = None,
    open: Open = http,
) -> Run:
    """Send `calls` over so many connections and wait for all answers; `then` is told each.

    Raises OSError where the server cannot be reached.
    """
    return uvloop.run(_run(target, iter(calls), connections, then or _nothing, open))


def ask(target: Target, call: Call) -> Answer:
    """Send one request by itself. Raises OSError where the server cannot be reached."""
    answers: list[Answer] = []
    run(target, [call], 1, answers.append)
    return answers[0]


async def _run(
    target: Target, calls: Iterator[Call], connections: int, then: Then, open: Open
) -> Run:
    opened = await asyncio.gather(*(open(target) for _ in range(connections)))
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    units = 0

    async def worker(connection: Connection) -> None:
        nonlocal units
        for call in calls:
            started = time.perf_counter()
            answer = await connection.ask(call.data)
            latencies.append(time.perf_counter() - started)
            statuses[answer.status] += 1
            units += call.units if answer.succeeded else 0
            then(answer)
            if connection.is_closed:
                connection = await open(target)
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*map(worker, opened))
    return Run(statuses, units, time.perf_counter() - started, tuple(sorted(latencies)))


def _nothing(answer: Answer) -> None:
    """Nobody asks what came."""
