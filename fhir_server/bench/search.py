"""Searches: each shape asked one after the other, with values that differ from turn to turn.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterator
from itertools import count, cycle, islice

from fhir_server import fhirjson
from fhir_server.bench import load
from fhir_server.bench.ask import Ask
from fhir_server.bench.figure import Figure
from fhir_server.bench.load import Call, call
from fhir_server.bench.population import patients, resources
from fhir_server.bench.shapes import SHAPES, Shape
from fhir_server.bench.target import Target

_AT_ONCE = 100
_WARM = 5


def search(target: Target, ask: Ask) -> Iterator[Figure]:
    """Search a population in each shape; it is written first where it is not there."""
    if not _is_there(target, ask.resources):
        load.run(target, _fill(target, ask.resources), connections=2)
    for shape in SHAPES:
        yield from _shape(target, ask, shape)


def _is_there(target: Target, size: int) -> bool:
    last = call(target, "GET", f"/Patient/patient-{patients(size) - 1}")
    return not load.run(target, [last], 1).failed


def _fill(target: Target, size: int) -> Iterator[Call]:
    """Yield batches that put the population under its own ids."""
    every = resources(size)
    while some := list(islice(every, _AT_ONCE)):
        entries = [
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in some
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        yield call(target, "POST", "", fhirjson.encode(body), units=len(some))


def _shape(target: Target, ask: Ask, shape: Shape) -> Iterator[Figure]:
    many = patients(ask.resources)
    turns = cycle(range(ask.consenting)) if ask.consenting else count()
    calls = (call(target, "GET", shape.path(turn, many)) for turn in turns)
    load.run(target, islice(calls, _WARM), 1)
    before = target.cost()
    run = load.run(target, load.timed(calls, ask.seconds / 5), 1)
    after = target.cost()
    name = shape.name if shape.selective else f"{shape.name} *"
    if before and after and run.units:
        yield Figure(name, "CPU of the server", (after.cpu - before.cpu) / run.units * 1e6, "µs")
    yield Figure(name, "half answered in", run.quantile(0.5) * 1000, "ms")
    yield Figure(name, "99 % answered in", run.quantile(0.99) * 1000, "ms")
    yield Figure(name, "failed", run.failed)
