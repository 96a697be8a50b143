"""Cases that need a hub with the demo city in it: they are not asked of other servers.

HL7 v2 over MLLP: https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF
"""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from adapters.transport.mllp import encode
from fhir_server.bench import load
from fhir_server.bench.ask import Ask
from fhir_server.bench.connection import mllp
from fhir_server.bench.figure import Figure, rates
from fhir_server.bench.load import Call
from fhir_server.bench.target import Target
from fhir_server.demo import feed
from fhir_server.demo.stage import hero

_CONNECTIONS = 16
_SHANGHAI = timezone(timedelta(hours=8))


def adt(target: Target, ask: Ask) -> Iterator[Figure]:
    """Send ADT^A01 of ever new patients over MLLP."""
    calls = _admissions()
    load.run(target, itertools.islice(calls, 50), _CONNECTIONS, open=mllp)
    before = target.cost()
    run = load.run(target, load.timed(calls, ask.seconds), _CONNECTIONS, open=mllp)
    yield from rates("adt", "messages", run, before, target.cost())


def _admissions() -> Iterator[Call]:
    at = datetime.now(_SHANGHAI).replace(microsecond=0)
    for number in itertools.count(1_000_000):
        yield Call(encode(feed.admission(f"B{number}", at, hero(number)).encode()))
