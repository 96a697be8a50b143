"""A load generator: so many kept connections, each sending its next request when the last
is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as bytes ready to send."""

    data: bytes


def call(method: str, base: str, path: str, token: str, body: bytes = b"", **headers: str) -> Call:
    """Build a request; `_` in a header's name stands for `-`."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(base).netloc}",
        f"Authorization: Bearer {token}",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    return Call(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a load: answers, those that failed, the time it took, latencies in
    seconds, sorted."""

    done: int
    failed: int
    seconds: float
    latencies: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """Return the latency that `share` of the answers did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


Exchange = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[bool]]


def run(address: str, calls: Iterator[bytes], connections: int, exchange: Exchange) -> Run:
    """Send `calls` over `connections` connections to `host:port` and wait for all answers."""
    return asyncio.run(_run(address, calls, connections, exchange))


async def _run(address: str, calls: Iterator[bytes], connections: int, exchange: Exchange) -> Run:
    host, port = address.rsplit(":", 1)
    latencies: list[float] = []
    failed = 0

    async def worker() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 26)
        for data in calls:
            started = time.perf_counter()
            succeeded = await exchange(reader, writer, data)
            failed += not succeeded
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return Run(len(latencies), failed, time.perf_counter() - started, tuple(sorted(latencies)))


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bool:
    """Send one HTTP request and read its answer whole; tell whether it is a 2xx."""
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line[15:])
    if length:
        await reader.readexactly(length)
    return head[9:10] == b"2"


async def mllp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bool:
    """Send one framed message and read its acknowledgement; tell whether it is AA."""
    writer.write(data)
    answer = await reader.readuntil(b"\x1c\r")
    return b"MSA|AA" in answer
