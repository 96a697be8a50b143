"""What a server takes of its machine: time to start, memory, disk. Its process must be known."""

from collections.abc import Iterator

from fhir_server.bench import load, process
from fhir_server.bench.ask import Ask
from fhir_server.bench.figure import Figure
from fhir_server.bench.ingest import posts
from fhir_server.bench.load import call
from fhir_server.bench.target import Target

_CASE = "footprint"
_MB = 1e6


def footprint(target: Target, ask: Ask) -> Iterator[Figure]:
    """Start it again if it was started here, look at it idle, ingest for a while, look again."""
    if target.running:
        target.running.pause()
        before = _size(target)
        target.running.restart()
        yield Figure(_CASE, "first answer", target.running.seconds_to_answer, "s")
    else:
        before = _size(target)
    load.ask(target, call(target, "GET", "/metadata"))
    idle = target.cost()
    run = load.run(target, load.timed(posts(target, ask), ask.seconds))
    if idle and (busy := target.cost()):
        yield Figure(_CASE, "memory idle", idle.memory / _MB, "MB")
        yield Figure(_CASE, "memory at most", busy.peak / _MB, "MB")
        yield Figure(_CASE, "processes", busy.processes)
    if target.running:
        target.running.pause()  # what it keeps in a journal comes into its files
    if target.data and run.units:
        grown = (_size(target) - before) / run.units
        yield Figure(_CASE, "disk a resource", grown / 1000, "kB")
    if target.running:
        target.running.restart()


def _size(target: Target) -> int:
    return process.size(target.data) if target.data else 0
