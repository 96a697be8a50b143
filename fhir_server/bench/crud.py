"""Read, create, update, delete, and small commits of many clients at once: of one resource each.

https://hl7.org/fhir/R4/http.html
"""

import itertools
from collections.abc import Iterable, Iterator
from functools import partial

from fhir_server import fhirjson
from fhir_server.bench import load, records
from fhir_server.bench.ask import Ask
from fhir_server.bench.connection import Answer
from fhir_server.bench.figure import Figure, rates
from fhir_server.bench.load import Call, call
from fhir_server.bench.target import Target

_PATIENTS, _OBSERVATIONS = 50, 256
_DELETES = 500
"""Observations that are made beforehand for each second of deleting."""
_CONNECTIONS, _WARM = 16, 10
"""Connections, and requests on each that nobody counts."""


def read(target: Target, ask: Ask) -> Iterator[Figure]:
    """Read Patients by id, round and round."""
    calls = (call(target, "GET", f"/{patient}") for patient in itertools.cycle(patients(target)))
    yield from measured("read", "reads", target, ask, calls)


def create(target: Target, ask: Ask) -> Iterator[Figure]:
    """Create an Observation of 2 KB."""
    yield from measured("create", "creates", target, ask, _creates(target, patients(target)))


def update(target: Target, ask: Ask) -> Iterator[Figure]:
    """Put an Observation of 2 KB in the place of one in which one value is another."""
    subject = patients(target)[0]
    there = made(target, itertools.islice(_creates(target, [subject]), _OBSERVATIONS))
    yield from measured("update", "updates", target, ask, _updates(target, there, subject))


def delete(target: Target, ask: Ask) -> Iterator[Figure]:
    """Delete Observations that were made beforehand; ends when they are gone."""
    some = _CONNECTIONS * _WARM + round(ask.seconds * _DELETES)
    there = made(target, itertools.islice(_small(target, patients(target)), some))
    calls = (call(target, "DELETE", f"/{name}") for name in there)
    yield from measured("delete", "deletes", target, ask, calls)


def commits(target: Target, ask: Ask) -> Iterator[Figure]:
    """Create as small an Observation as there can be, from 64 clients."""
    calls = _small(target, patients(target))
    yield from measured("commits", "small commits", target, ask, calls, connections=64)


def measured(
    case: str,
    unit: str,
    target: Target,
    ask: Ask,
    calls: Iterable[Call],
    connections: int = _CONNECTIONS,
) -> Iterator[Figure]:
    """Yield the figures of a load, after a few requests that nobody counts."""
    stream = iter(calls)
    load.run(target, itertools.islice(stream, _WARM * connections), connections)
    before = target.cost()
    run = load.run(target, load.timed(stream, ask.seconds), connections)
    yield from rates(case, unit, run, before, target.cost())


def patients(target: Target, count: int = _PATIENTS) -> list[str]:
    """Make Patients and return their literal references. Raises ValueError if they are refused."""
    bodies = (fhirjson.encode(records.patient(f"crud-{number}")) for number in range(count))
    return made(target, (call(target, "POST", "/Patient", body) for body in bodies))


def made(target: Target, creates: Iterable[Call]) -> list[str]:
    """Send creates and return the literal references of what they made."""
    answers: list[Answer] = []
    load.run(target, creates, then=answers.append)
    if refused := [answer for answer in answers if not answer.succeeded]:
        words = refused[0].body.decode(errors="replace")[:300]
        raise ValueError(f"{target.base} refuses a create: {refused[0].status} {words}")
    return [answer.name for answer in answers]


def _creates(target: Target, subjects: Iterable[str]) -> Iterator[Call]:
    return map(partial(_create, target), map(records.observation, itertools.cycle(subjects)))


def _small(target: Target, subjects: Iterable[str]) -> Iterator[Call]:
    return map(partial(_create, target), map(records.small, itertools.cycle(subjects)))


def _create(target: Target, resource: records.Resource) -> Call:
    return call(target, "POST", f"/{resource['resourceType']}", fhirjson.encode(resource))


def _updates(target: Target, there: list[str], subject: str) -> Iterator[Call]:
    for number, name in enumerate(itertools.cycle(there)):
        id = name.partition("/")[2]
        body = records.observation(subject, 100 + number // len(there) % 100) | {"id": id}
        yield call(target, "PUT", f"/{name}", fhirjson.encode(body))
