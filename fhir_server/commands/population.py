"""A population of the benchmarks, written straight into a store: one process, large commits."""

import asyncio
from collections.abc import Iterator
from itertools import islice

from fhir_server.authz.grant import Clause, Grant, Rule
from fhir_server.bench.population import patients, resources, spread
from fhir_server.commands.store import opened
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Write

_AT_ONCE = 500
OWNER = "hospital"
"""The institution of the demo city whose records they are."""
CLINIC, CLINIC_USER = "clinic-west", "west-gp"
"""The institution that patients let read all of theirs, and the login of a doctor there."""


def fill(store: str, count: int, consenting: int = 0) -> None:
    """Write so many resources under their own ids, and grants of so many patients."""
    asyncio.run(_fill(store, count, consenting))


async def _fill(url: str, count: int, consenting: int) -> None:
    every = resources(count)
    granted = _grants(consenting, patients(count))
    async with opened(url) as parts:
        while some := list(islice(every, _AT_ONCE)):
            keyed = ((Key(each["resourceType"], each["id"]), each) for each in some)
            await parts.store.commit(
                [derived(parts.server, key, each, None, OWNER) for key, each in keyed]
            )
        while writes := list(islice(granted, _AT_ONCE)):
            await parts.store.commit(writes)


def _grants(count: int, of: int) -> Iterator[Write]:
    rule = Rule(CLINIC, "TREAT", (Clause(),))
    yield from rule.writes() if count else ()
    for number in range(count):
        patient = f"patient-{spread(number, of)}"
        yield Grant(patient, CLINIC, f"Consent/{patient}", 0, rule=rule.id).write()
