"""Transaction Bundles, one record each, references by urn:uuid.

https://hl7.org/fhir/R4/http.html#transaction
"""

import itertools
from collections.abc import Iterator

from fhir_server.bench import load
from fhir_server.bench.ask import Ask
from fhir_server.bench.figure import Figure, rates
from fhir_server.bench.load import Call, call
from fhir_server.bench.records import city, own, read, shared
from fhir_server.bench.target import Target

_CONNECTIONS = 8


def ingest(target: Target, ask: Ask) -> Iterator[Figure]:
    """Post Bundles: the demo city's round and round; those of a folder once each, after those of
    no patient (practitioners, institutions), which are not measured."""
    calls = posts(target, ask)
    if ask.bundles:
        load.run(target, [_post(target, *read(path)[0]) for path in shared(ask.bundles)], 1)
    else:
        load.run(target, itertools.islice(calls, _CONNECTIONS), _CONNECTIONS)
    before = target.cost()
    run = load.run(target, load.timed(calls, ask.seconds), _CONNECTIONS)
    yield from rates("transaction", "resources", run, before, target.cost())


def posts(target: Target, ask: Ask) -> Iterator[Call]:
    """Return the requests; without end unless they are of a folder."""
    bundles = own(ask.bundles) if ask.bundles else itertools.cycle(city())
    return (_post(target, body, entries) for body, entries in bundles)


def _post(target: Target, body: bytes, entries: int) -> Call:
    return call(target, "POST", "", body, entries, Prefer="return=minimal")
